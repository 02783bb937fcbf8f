/** Small files of secrets in JSON, which only their owner can read. */
import { readFile, stat } from 'node:fs/promises'
import type { z } from 'zod'
import { jsonOrNull } from '../words/json.ts'
import { UsageError } from '../words/usage.ts'
import { codeOf, reasonOf, writeWhole } from './write.ts'

export const OWNER_ONLY = 0o600

/** Null where there is no such file. `what` names the content in a refusal. */
export async function readSecrets<Shape extends z.ZodType>(
  path: string,
  shape: Shape,
  what: string,
): Promise<z.infer<Shape> | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw new UsageError(`${path}: cannot be read: ${reasonOf(error)}`)
  }
  const { data } = shape.safeParse(jsonOrNull(text))
  if (data === undefined) throw new UsageError(`${path}: expected ${what}; move the file away to get new ones`)
  await requireOwnerOnly(path)
  return data as z.infer<Shape>
}

async function requireOwnerOnly(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const { mode } = await stat(path)
  if ((mode & 0o077) === 0) return
  throw new UsageError(`${path}: others than its owner can read or change it; run: chmod 600 ${path}`)
}

export const writeSecrets = (path: string, value: unknown): Promise<void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`, { mode: OWNER_ONLY })
