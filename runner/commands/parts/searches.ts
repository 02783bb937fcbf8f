/** What a sweep is to try: methods with their spaces, declared or given, and the seeds to tune on. */
import type { Benchmark } from '../../../schema/benchmark.ts'
import { clustersOf } from '../../../schema/parts/seeding.ts'
import { lookUp } from '../../pipeline/catalogue.ts'
import { choicesIn, type Sampler, type Searched } from '../../pipeline/sweep.ts'
import * as catalogue from '../../science/catalogue/catalogue.ts'
import { type Dimension, dimensionOf, isFixed } from '../../science/search.ts'
import { note } from '../../terminal/output.ts'
import { labelled } from '../../words/names.ts'
import { plural } from '../../words/numbers.ts'
import { UsageError } from '../../words/usage.ts'
import { resolveSettings, seedsFrom, spaceFrom } from './arguments.ts'

export interface SearchOptions {
  /** `all` and ids, with commas between; `id@name=value` is a method with a parameter fixed, beside the method itself. */
  methods: string
  param?: string[] | undefined
  trials?: number | undefined
  sampler: Sampler
}

/** Of ranges, where no number is asked for. */
const TRIALS = 7
/** Where none are named. */
export const PILOTS = '1000,1001'
/** A grid of more is a mistake in its values. */
const MOST_TRIALS = 1000

export function searchesOf(benchmark: Benchmark, { methods, param = [], trials, sampler }: SearchOptions): Searched[] {
  const words = methods.split(',').map((word) => word.trim())
  const asked = [...new Set(words.flatMap((word) => (word === 'all' ? allOn(benchmark) : [word])))].map(entryOf)
  for (const { method } of asked) lookUp('method', catalogue.methods, method)
  const ids = [...new Set(asked.map(({ method }) => method))]
  const given = wordsByMethod(ids, param)
  const searches = asked.map(({ method, fixed }): Searched => {
    const label = fixed.join(', ')
    const space = spaceOf(benchmark, method, [...fixed, ...(given.get(method) ?? [])])
    const isGrid = trials === undefined && space.every(({ kind }) => kind === 'values')
    const choices = choicesIn(space, { method, trials: isGrid ? undefined : (trials ?? TRIALS), sampler })
    if (choices.length > MOST_TRIALS)
      throw new UsageError(
        `${method}: expected at most ${MOST_TRIALS} trials, got ${choices.length}; give fewer values, or --trials`,
      )
    return { method, label, space, trials: resolveSettings(benchmark, method, choices) }
  })
  const budgets = new Set(searches.map((search) => search.trials.length))
  if (budgets.size > 1)
    note(
      `Not one budget: ${searches.map(({ method, label, trials }) => `${labelled({ title: method, label })} has ${plural(trials.length, 'trial')}`).join(', ')}.`,
    )
  return searches
}

/** `salun@mask=random` is SalUn with its mask at random. */
function entryOf(word: string): { method: string; fixed: string[] } {
  const [method, ...fixed] = word.split('@') as [string, ...string[]]
  return { method, fixed }
}

/** The seeds that a board counts are not to be tuned on, nor others that share their cluster. */
export function pilotsOf(benchmark: Benchmark, text: string): number[] {
  const pilots = seedsFrom(text, '--pilots')
  const clusterOf = clustersOf(benchmark)
  const counted = new Set(benchmark.seeds.map(clusterOf))
  const shown = pilots.filter((seed) => counted.has(clusterOf(seed)))
  if (shown.length > 0)
    throw new UsageError(
      `--pilots: ${shown.join(', ')} ${shown.length === 1 ? 'is a seed' : 'are seeds'} of ${benchmark.slug}${shown.some((seed) => !benchmark.seeds.includes(seed)) ? ', or shares its training seed or forget set with one' : ''}, and what is tuned on them is not measured by them; choose others, such as 1000,1001`,
    )
  if (new Set(pilots.map(clusterOf)).size === 1)
    note(
      pilots.length === 1
        ? 'One pilot seed chooses by its chance: give two or more to --pilots.'
        : `The pilots ${pilots.join(', ')} are one cluster, which chooses by its chance: give more to --pilots, further apart.`,
    )
  return pilots
}

/** What is declared, unless several values or a range are given; single values are fixed beside it. */
function spaceOf(benchmark: Benchmark, method: string, words: string[]): Dimension[] {
  const given = spaceFrom(benchmark, method, words)
  if (given.some((dimension) => !isFixed(dimension))) return given
  const own = declared(benchmark, method).filter(([name]) => !given.some((one) => one.name === name))
  if (own.length === 0 && given.length === 0)
    throw new UsageError(
      `${method} declares nothing to search on ${benchmark.slug}; give --param name=values, or leave it out`,
    )
  const found = catalogue.paramsOn(benchmark, method)
  if ('refusal' in found) throw new UsageError(found.refusal.message)
  return [...given, ...own.map(([name, text]) => dimensionOf(found.params, name, text))]
}

const declared = ({ task }: Benchmark, method: string): [name: string, text: string][] =>
  Object.entries(catalogue.methods.get(method)?.on[task.id]?.search ?? {}).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text]],
  )

/** Every method that declares a space for the benchmark; says which of them can't be run on it, and why. */
function allOn(benchmark: Benchmark): string[] {
  return [...catalogue.methods].flatMap(([id, known]) => {
    if (!catalogue.offersOn(known, benchmark) || declared(benchmark, id).length === 0) return []
    const found = catalogue.resolveParams(benchmark, id, {})
    if ('values' in found) return [id]
    note(`${known.title} is left out: ${found.refusal.message}.`)
    return []
  })
}

/** `METHOD.name=space` is of that method; without one, of the only method. */
function wordsByMethod(asked: string[], words: string[]): Map<string, string[]> {
  const given = new Map<string, string[]>()
  for (const word of words) {
    const [, named, rest] = /^([a-z0-9-]+)\.(?=[^=]*=)(.*)$/s.exec(word) ?? []
    const [only] = asked
    if (named === undefined && asked.length > 1)
      throw new UsageError(
        `--param ${word}: expected METHOD.name=space with several methods, such as --param ${only}.${word}`,
      )
    const method = named ?? only!
    if (!asked.includes(method))
      throw new UsageError(`--param ${word}: ${method} is not among the methods: ${asked.join(', ')}`)
    given.set(method, [...(given.get(method) ?? []), rest ?? word])
  }
  return given
}
