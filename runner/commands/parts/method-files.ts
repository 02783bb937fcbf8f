/** Methods that are named by the path of their file. */
import { readFile, stat } from 'node:fs/promises'
import { MethodFault } from '../../sandbox/fault.ts'
import { LIMITS } from '../../sandbox/limits.ts'
import { openMethod } from '../../sandbox/method.ts'
import { type MethodSource, sourceOf } from '../../sandbox/source.ts'
import { methods } from '../../science/catalogue/catalogue.ts'
import type { MethodDefinition } from '../../science/method.ts'
import type { Store } from '../../store/store.ts'
import { reasonOf } from '../../store/write.ts'
import { UsageError } from '../../words/usage.ts'

export interface MethodFile {
  source: MethodSource
  definition: MethodDefinition
}

/** Whether a word names a file rather than a method of the catalogue. */
const isPath = (word: string): boolean => /[/\\]|\.(ts|js)$/.test(word)

/** Throws UsageError for a file that can't be read, or is no method. */
export async function methodFrom(path: string): Promise<MethodFile> {
  let bytes: Uint8Array
  try {
    const { size } = await stat(path)
    if (size > LIMITS.sourceBytes)
      throw new UsageError(`${path}: expected a file of at most ${LIMITS.sourceBytes} bytes, got ${size}`)
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${path}: expected the file of a method: ${reasonOf(error)}`)
  }
  try {
    const source = await sourceOf(path, bytes)
    return { source, definition: await openMethod(source) }
  } catch (error) {
    if (error instanceof MethodFault) throw new UsageError(error.message)
    throw error
  }
}

/** Ids of the methods that words name; those of files join the catalogue of this process. */
export async function namedMethods(words: readonly string[]): Promise<{ ids: string[]; sources: MethodSource[] }> {
  const sources: MethodSource[] = []
  const ids: string[] = []
  for (const word of new Set(words)) {
    if (!isPath(word)) {
      ids.push(word)
      continue
    }
    const { source, definition } = await methodFrom(word)
    const other = sources.find(({ id }) => id === source.id)
    if (other && other.sha256 !== source.sha256)
      throw new UsageError(`--method ${word}: two files are called ${source.file}; give one of them another name`)
    methods.set(source.id, definition)
    sources.push(source)
    ids.push(source.id)
  }
  return { ids, sources }
}

/** Puts files where stages look for them. */
export async function keepSources(sources: readonly MethodSource[], store: Store): Promise<void> {
  for (const { text } of sources) await store.put(new TextEncoder().encode(text))
}
