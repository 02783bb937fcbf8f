/** Files of numbers that a user names: read, told apart and named in every complaint. */
import { readFile } from 'node:fs/promises'
import { isFolder } from '../data/files/pictures.ts'
import { readArrays } from '../formats/arrays.ts'
import { ArraysError } from '../formats/numbers.ts'
import { SafetensorsError } from '../formats/safetensors.ts'
import { isStatistics } from '../science/fidelity/statistics.ts'
import type { Foreign } from '../science/task.ts'
import { sha256Of } from '../store/digest.ts'
import { reasonOf } from '../store/write.ts'
import { UsageError } from '../words/usage.ts'

export type NamedFile = { path: string } & (
  | { kind: 'pictures' }
  /** mu and sigma of features. */
  | ({ kind: 'statistics' } & Foreign)
  | ({ kind: 'arrays' } & Foreign)
)

/** A folder is one of pictures. */
export async function openNamed(path: string): Promise<NamedFile> {
  if (await isFolder(path)) return { kind: 'pictures', path }
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${reasonOf(error)}`)
  }
  const content = about(path, () => readArrays(bytes))
  return { kind: isStatistics(content) ? 'statistics' : 'arrays', path, content, sha256: sha256Of(bytes) }
}

/** What is wrong with a file, with its name. */
export function about<Found>(path: string, read: () => Found): Found {
  try {
    return read()
  } catch (error) {
    if (isRefusal(error)) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}

export const isRefusal = (error: unknown): error is Error =>
  error instanceof ArraysError || error instanceof SafetensorsError
