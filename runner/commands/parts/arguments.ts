/** Command-line words to values: benchmarks, parameters, seeds, numbers. Each refusal says what was expected and what came. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { type Benchmark, benchmark as benchmarkShape, taskOf } from '../../../schema/benchmark.ts'
import type { Target } from '../../../schema/catalogue/catalogue.ts'
import { describeIssues } from '../../../schema/issues.ts'
import { seed } from '../../../schema/stage.ts'
import { didYouMean, lookUp, methods, targetOf } from '../../pipeline/catalogue.ts'
import { paramsFor } from '../../science/method.ts'
import { reasonOf } from '../../store/write.ts'
import { UsageError } from '../../words/usage.ts'

/** A benchmark or suite by its slug, or a benchmark from a JSON file, whose dataset path is relative to the file. */
export async function targetFrom(word: string): Promise<Target> {
  if (!/[/\\]|\.json$/.test(word)) return targetOf(word)
  let text: string
  try {
    text = await readFile(word, 'utf8')
  } catch (error) {
    throw new UsageError(`${word}: expected the JSON file of a benchmark: ${reasonOf(error)}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${word}: expected JSON: ${(error as Error).message}`)
  }
  const { data, error } = benchmarkShape.safeParse(value)
  if (!data) throw new UsageError(`${word}: ${describeIssues(error, value)}`)
  const { path } = data.dataset
  const dataset = path === undefined ? data.dataset : { ...data.dataset, path: resolve(dirname(word), path) }
  return { slug: data.slug, title: data.title, benchmarks: [{ ...data, dataset }] }
}

/** `--param name=value` words, each read as the type that the method's schema gives the parameter. */
export function paramsFrom(benchmark: Benchmark, method: string, words: string[] = []): Record<string, unknown> {
  const { properties = {} } = z.toJSONSchema(paramsOf(benchmark, method), { io: 'input' })
  const values: Record<string, unknown> = {}
  for (const word of words) {
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(word) ?? []
    if (name === undefined || text === undefined) {
      throw new UsageError(`--param ${word}: expected name=value, such as --param learningRate=0.01`)
    }
    const property = properties[name]
    if (typeof property !== 'object') {
      const known = Object.keys(properties)
      const listed = known.length > 0 ? `known: ${known.join(', ')}` : 'it has none'
      throw new UsageError(`${method} has no parameter "${name}"${didYouMean(name, known)}; ${listed}`)
    }
    if (name in values) throw new UsageError(`--param ${name}: expected once, came twice`)
    values[name] = typed(text, property.type)
  }
  return values
}

/** What does not read as the type stays a string, so that the schema refuses it in its own words. */
function typed(text: string, type: unknown): unknown {
  if ((type === 'number' || type === 'integer') && text.trim() !== '' && Number.isFinite(Number(text)))
    return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

/** What a method takes on a benchmark; refuses one that has nothing to offer for its task. */
export function paramsOf(benchmark: Benchmark, id: string): z.ZodType<Record<string, unknown>> {
  const task = taskOf(benchmark)
  const params = paramsFor(lookUp('method', methods, id), task)
  if (params) return params
  const offered = [...methods].filter(([, method]) => paramsFor(method, task)).map(([known]) => known)
  throw new UsageError(
    `${id} does not unlearn ${task}, which is what ${benchmark.slug} asks for; those that do: ${offered.join(', ')}`,
  )
}

/** A submission's own values over the benchmark's preset over the method's defaults, checked. */
export function resolveParams(benchmark: Benchmark, id: string, own: Record<string, unknown>): Record<string, unknown> {
  const input = { ...benchmark.presets[id], ...own }
  const { data, error } = paramsOf(benchmark, id).safeParse(input)
  if (data) return data
  throw new UsageError(`${id}: ${describeIssues(error!, input)}`)
}

/** `0,1,2` or `0-4`. */
export function seedsFrom(text: string): number[] {
  const fail = (): never => {
    throw new UsageError(`--seeds: expected different whole numbers from 0, such as 0,1,2 or 0-4, got "${text}"`)
  }
  const seeds = text.split(',').flatMap((part) => {
    const [, from, to] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? fail()
    const count = to === undefined ? 1 : Number(to) - Number(from) + 1
    if (count < 1 || count > 1000) fail()
    return Array.from({ length: count }, (_, index) => Number(from) + index)
  })
  if (seeds.some((value) => !seed.safeParse(value).success) || new Set(seeds).size !== seeds.length) fail()
  return seeds
}

/** For commander: a whole number in a range. */
export const wholeNumber = (name: string, { min, max }: { min: number; max: number }) => {
  return (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new UsageError(`--${name}: expected a whole number from ${min} to ${max}, got "${text}"`)
  }
}

/** For commander: options that may be given several times. */
export const collect = (word: string, words: string[] = []): string[] => [...words, word]
