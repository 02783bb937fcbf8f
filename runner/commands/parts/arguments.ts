/** Command-line words to values: benchmarks, parameters, seeds, numbers. Each refusal says what was expected and what came. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { definitionIn } from '../../../schema/api/benchmark.ts'
import { type Benchmark, benchmark as benchmarkShape } from '../../../schema/benchmark.ts'
import type { Target } from '../../../schema/catalogue/catalogue.ts'
import { describeIssues } from '../../../schema/issues.ts'
import { isOwn } from '../../../schema/own.ts'
import { seed } from '../../../schema/stage.ts'
import { apiOf } from '../../agent/api.ts'
import { createClient } from '../../agent/client.ts'
import { targetOf } from '../../pipeline/catalogue.ts'
import { completedRequest, withList } from '../../pipeline/request.ts'
import * as catalogue from '../../science/catalogue/catalogue.ts'
import { type Setting, settingsOf } from '../../science/catalogue/settings.ts'
import { withProbes } from '../../science/catalogue/with-probes.ts'
import { parametersOf, readValue } from '../../science/parameters.ts'
import { type Choice, type Dimension, dimensionOf } from '../../science/search.ts'
import { reasonOf } from '../../store/write.ts'
import { didYouMean } from '../../words/nearest.ts'
import { UsageError } from '../../words/usage.ts'
import { serverOf } from './command.ts'

/** A benchmark or suite by its slug, or a benchmark from a JSON file. One of a server's own is asked of `server`. */
export async function targetFrom(word: string, server?: string): Promise<Target> {
  if (/[/\\]|\.json$/.test(word)) return targetWith(await benchmarkFrom(word))
  return isOwn(word) ? targetAt(word, server) : targetOf(word)
}

/** A benchmark or suite by its slug. */
export async function targetAt(slug: string, server: string | undefined): Promise<Target> {
  if (!isOwn(slug)) return targetOf(slug)
  const api = apiOf(createClient({ server: serverOf(server), retryForMs: 5_000 }))
  return targetWith(definitionIn(await api.benchmark(slug)))
}

const targetWith = (benchmark: Benchmark): Target => ({
  slug: benchmark.slug,
  title: benchmark.title,
  benchmarks: [benchmark],
})

/** A benchmark that forgets the images of a list in place of its own. */
export async function forgettingList(target: Target, path: string): Promise<Target> {
  const [benchmark] = target.benchmarks
  if (target.benchmarks.length === 1) return targetWith(await withList(benchmark!, path))
  throw new UsageError(
    `--forget: expected one benchmark, got the suite ${target.slug}, which forgets each class in turn; name one of its benchmarks, such as ${benchmark!.slug}`,
  )
}

/** The same benchmarks with every probe of their task. */
export function withProbesOf(target: Target): Target {
  const benchmarks = target.benchmarks.map((benchmark) => {
    const probed = withProbes(benchmark)
    if (probed) return probed
    throw new UsageError(`--probes: ${benchmark.slug} is of ${benchmark.task.id}, which has none; leave it out`)
  })
  return { ...target, benchmarks }
}

/** From a JSON file, whose paths are relative to it. */
export async function benchmarkFrom(word: string): Promise<Benchmark> {
  let text: string
  try {
    text = await readFile(word, 'utf8')
  } catch (error) {
    throw new UsageError(`${word}: expected the JSON file of a benchmark: ${reasonOf(error)}`)
  }
  let written: unknown
  try {
    written = JSON.parse(text.replace(/^\uFEFF/, '')) // editors of Windows begin with a byte-order mark
  } catch (error) {
    throw new UsageError(`${word}: expected JSON: ${(error as Error).message}`)
  }
  const value = await completedRequest(written, { folder: dirname(word) })
  const { data, error } = benchmarkShape.safeParse(value)
  if (!data) throw new UsageError(`${word}: ${describeIssues(error, value)}`)
  const fromHere = <Ref extends { path?: string | undefined }>(ref: Ref): Ref =>
    ref.path === undefined ? ref : { ...ref, path: resolve(dirname(word), ref.path) }
  const { dataset, model } = data
  const initial = model.initial && fromHere(model.initial)
  return { ...data, dataset: fromHere(dataset), model: { ...fromHere(model), ...(initial && { initial }) } }
}

/** `--param name=value` words; each value is read as what the method's schema takes. */
export function paramsFrom(benchmark: Benchmark, method: string, words: string[] = []): Record<string, unknown> {
  return valuesFrom(paramsOf(benchmark, method), method, words)
}

/** The same of anything with parameters, by the name that messages have for it. */
function valuesFrom(params: z.ZodType, of: string, words: string[] = []): Record<string, unknown> {
  const values = wordsByName(params, of, words)
  return Object.fromEntries(values.map(([name, text]) => [name, readValue(params, name, text).value]))
}

/** Values of all parameters of something that is no method, checked. */
export function settingFrom<T>(params: z.ZodType<T>, of: string, words: string[] = []): T {
  const values = valuesFrom(params, of, words)
  const { data, error } = params.safeParse(values)
  if (error) throw new UsageError(`${of}: ${describeIssues(error, values)}`)
  return data
}

/** The same where a parameter may have several values, or a range of them. */
export function spaceFrom(benchmark: Benchmark, method: string, words: string[] = []): Dimension[] {
  const params = paramsOf(benchmark, method)
  return wordsByName(params, method, words).map(([name, text]) => dimensionOf(params, name, text))
}

/** Checks that the names are the method's, each once. */
function wordsByName(params: z.ZodType, method: string, words: string[]): [name: string, text: string][] {
  const known = parametersOf(params).map(({ name }) => name)
  const values = new Map<string, string>()
  for (const word of words) {
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(word) ?? []
    if (name === undefined || text === undefined) {
      throw new UsageError(`--param ${word}: expected name=value, such as --param learningRate=0.01`)
    }
    if (!known.includes(name)) {
      const listed = known.length > 0 ? `known: ${known.join(', ')}` : 'it has none'
      throw new UsageError(`${method} has no parameter "${name}"${didYouMean(name, known)}; ${listed}`)
    }
    if (values.has(name)) throw new UsageError(`--param ${name}: expected once, came twice`)
    values.set(name, text)
  }
  return [...values]
}

/** What a method takes on a benchmark; refuses one that has nothing to offer for its task. */
function paramsOf(benchmark: Benchmark, id: string): z.ZodType<Record<string, unknown>> {
  const found = catalogue.paramsOn(benchmark, id)
  if ('params' in found) return found.params
  throw new UsageError(found.refusal.message)
}

/** A submission's own values over the benchmark's preset over the method's defaults, checked. */
export function resolveParams(benchmark: Benchmark, id: string, own: Record<string, unknown>): Record<string, unknown> {
  const found = catalogue.resolveParams(benchmark, id, own)
  if ('values' in found) return found.values
  throw refused(id, found.refusal)
}

/** Settings of a method, one for each choice, checked. */
export function resolveSettings(benchmark: Benchmark, id: string, choices: readonly Choice[]): Setting[] {
  const found = settingsOf(benchmark, id, choices)
  if ('settings' in found) return found.settings
  throw refused(id, found.refusal)
}

const refused = (id: string, { code, message }: catalogue.Refusal) =>
  new UsageError(code === 'invalid_parameters' ? `${id}: ${message}` : message)

/** `0,1,2` or `0-4`. */
export function seedsFrom(text: string, option = '--seeds'): number[] {
  const fail = (): never => {
    throw new UsageError(`${option}: expected different whole numbers from 0, such as 0,1,2 or 0-4, got "${text}"`)
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

/** For commander: an option whose last word would win in silence. */
export const once = (name: string, advice: string) => {
  return (word: string, before?: string): string => {
    if (before === undefined) return word
    throw new UsageError(`--${name}: expected once, got ${before} and ${word}; ${advice}`)
  }
}

/** For commander: options that may be given several times. */
export const collect = (word: string, words: string[] = []): string[] => [...words, word]
