/** Benchmarks as the API shows them, and how organisers make and retire those of a server. */
import { z } from 'zod'
import { aimOf, type Benchmark, benchmark } from '../benchmark.ts'
import { isUnpinned } from '../classes.ts'
import { isOwn, OWN } from '../own.ts'
import { EXPORTED, type FileRef } from '../parts/model-file.ts'
import { oneLine } from '../parts/one-line.ts'
import { slug } from '../parts/recipe.ts'
import { aim, usualAim } from '../parts/request.ts'
import { seed } from '../stage.ts'
import { publicReason } from './submission.ts'

/** What a benchmark of a server's own has beside its definition. */
export const ownership = z.strictObject({
  author: z.string(),
  createdAt: z.string(),
  /** The version before this one, and the one after. */
  replaces: slug.nullable(),
  replacedBy: slug.nullable(),
  /** Since when and why it takes no submissions; null while it does. */
  retired: z.strictObject({ at: z.string(), reason: z.string() }).nullable(),
})
export type Ownership = z.infer<typeof ownership>

/** `own` is null for one that comes with the release; `aim` is there also where it follows from the request. */
export const benchmarkView = benchmark.safeExtend({ aim, own: ownership.nullable() })
export type BenchmarkView = z.infer<typeof benchmarkView>

export const viewOfBenchmark = (benchmark: Benchmark, own: Ownership | null): BenchmarkView => ({
  ...benchmark,
  aim: aimOf(benchmark),
  own,
})

/** Of a definition as JSON, in characters. */
const MAX_DEFINITION = 32_768

/** What a server holds a definition to that people without its code have sent. */
export const ownDefinition = benchmark.check(({ value, issues }) => {
  const add = (path: string[], message: string) => issues.push({ code: 'custom', message, path, input: value })
  const check = (path: string[], schema: z.ZodType, part: unknown) => {
    for (const issue of schema.safeParse(part).error?.issues ?? [])
      add([...path, ...issue.path.map(String)], issue.message)
  }
  if (!isOwn(value.slug)) add(['slug'], `expected it to begin with "${OWN}", such as ${OWN}pets.small-cnn.random-10`)
  check(['title'], oneLine.trim().min(3), value.title)
  check(['summary'], oneLine.trim().min(3), value.summary)
  check(['seeds'], distinct(seed, 50), value.seeds)
  check(['metrics'], distinct(oneLine.max(200), 50), value.metrics)
  const { id, path, digest } = value.dataset
  if (path !== undefined)
    add(['dataset', 'path'], 'expected none, since runners have folders of their own: name the images by digest')
  if (digest !== undefined && !/^[0-9a-f]{64}$/.test(digest))
    add(['dataset', 'digest'], 'expected 64 lower-case hexadecimal digits')
  if (isUnpinned({ id }) && digest === undefined)
    add(['dataset', 'digest'], 'expected the digest of the images; palimpsest benchmarks check tells it')
  const { model } = value
  const file = (ref: FileRef, path: string[]) => {
    if (ref.path !== undefined)
      add([...path, 'path'], 'expected none, since runners have folders of their own: name the file by its sha256')
    if (ref.sha256 === undefined)
      add([...path, 'sha256'], 'expected the SHA-256 of the file; palimpsest model check tells it')
  }
  if (model.id === EXPORTED) file(model, ['model'])
  if (model.initial) file(model.initial, ['model', 'initial'])
  if (value.request.kind === 'items' && value.request.path !== undefined)
    add(['request', 'path'], 'expected none, since runners have folders of their own: name the list by its sha256')
  const { length } = JSON.stringify(value)
  if (length > MAX_DEFINITION) add([], `expected at most ${MAX_DEFINITION} characters of JSON, got ${length}`)
})

const distinct = <T>(each: z.ZodType<T>, max: number) =>
  z
    .array(each)
    .max(max)
    .refine((all) => new Set(all).size === all.length, 'expected different ones')

export const createBenchmark = z.strictObject({
  benchmark: ownDefinition,
  /** A benchmark of this server that it is a new version of; that one is retired. */
  replaces: slug.optional(),
})
export type CreateBenchmark = z.infer<typeof createBenchmark>

export const retireBenchmark = z.strictObject({ reason: publicReason })

export const benchmarkList = z.strictObject({ benchmarks: z.array(benchmarkView) })

/** Without what only its server knows, and what follows from the rest. */
export const definitionIn = ({ own: _, aim, ...definition }: BenchmarkView): Benchmark =>
  aim === usualAim(definition.request) ? definition : { ...definition, aim }
