/** Methods of one file, from docs/one-file/ or written in a test. */
import { readFile } from 'node:fs/promises'
import type { Limits } from '../../runner/sandbox/limits.ts'
import { LIMITS } from '../../runner/sandbox/limits.ts'
import { openMethod } from '../../runner/sandbox/method.ts'
import { sourceOf } from '../../runner/sandbox/source.ts'
import type { MethodDefinition, Unlearning } from '../../runner/science/method.ts'

export const exampleSource = (name: string): Promise<Uint8Array> =>
  readFile(new URL(`../../docs/one-file/${name}.ts`, import.meta.url))

export const methodIn = async (
  text: string | Uint8Array,
  { file = 'mine.ts', log = () => {}, ...limits }: Partial<Limits> & { file?: string; log?(line: string): void } = {},
): Promise<MethodDefinition> => {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  return openMethod(await sourceOf(file, bytes), { log, limits: { ...LIMITS, ...limits } })
}

export const exampleOf = async (name: string): Promise<Unlearning> =>
  (await methodIn(await exampleSource(name), { file: `${name}.ts` })).on.classification!
