/** Files that may not be there. */
import { readFile } from 'node:fs/promises'
import { codeOf } from './write.ts'

export const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error))

/** Null where there is no such file. */
export async function readIfPresent(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}
