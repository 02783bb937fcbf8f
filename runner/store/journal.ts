/** What was done so far, a line of JSON each time: written at once, and read again by whoever goes on. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { jsonOrNull } from '../words/json.ts'
import { LocalFault } from './local-fault.ts'
import { readIfPresent } from './read.ts'
import { reasonOf } from './write.ts'

export interface Journal<Entry extends object> {
  /** Of earlier calls and of this one, in their order. */
  entries: readonly Entry[]
  add(entry: Entry): void
}

/** Lines that can't be read are left out: the last one is cut short where its writer was killed. */
export async function openJournal<Entry extends object>(
  path: string,
  shape: z.ZodType<Entry>,
): Promise<Journal<Entry>> {
  const bytes = await readIfPresent(path)
  const text = bytes ? new TextDecoder().decode(bytes) : ''
  const entries = text.split('\n').flatMap((line) => shape.safeParse(jsonOrNull(line)).data ?? [])
  let isCut = text !== '' && !text.endsWith('\n')
  return {
    entries,
    add(entry) {
      const line = `${isCut ? '\n' : ''}${JSON.stringify(entry)}\n`
      try {
        mkdirSync(dirname(path), { recursive: true })
        appendFileSync(path, line)
      } catch (error) {
        throw new LocalFault(`${path}: cannot be written: ${reasonOf(error)}`)
      }
      isCut = false
      entries.push(entry)
    },
  }
}
