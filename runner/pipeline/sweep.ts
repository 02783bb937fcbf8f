/** Tuning: the same number of trials for each method, scored by the mean Avg. Gap over pilot seeds that no board shows. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { randomStream } from '../engine/nn/random.ts'
import { plannable } from '../science/catalogue/catalogue.ts'
import type { Setting } from '../science/catalogue/settings.ts'
import { halton, MOST_DIMENSIONS } from '../science/low-discrepancy.ts'
import type { MethodDefinition } from '../science/method.ts'
import { type Choice, choiceText, type Dimension, gridOf, isFixed, pointsOf } from '../science/search.ts'
import { meanAndSpread, median } from '../science/statistics.ts'
import { UsageError } from '../words/usage.ts'
import { type Dropped, type LocalMethod, type LocalRun, rowOf } from './local.ts'
import { summarise } from './summarise.ts'
import { FruitlessError } from './sweep-journal.ts'

export const samplers = ['halton', 'random'] as const
export type Sampler = (typeof samplers)[number]

/** Drawn points, or every combination of values where no number of trials is given. Random draws are those of the method, the same
 *  in every call. */
export function choicesIn(
  space: readonly Dimension[],
  { method, trials, sampler }: { method: string; trials: number | undefined; sampler: Sampler },
): Choice[] {
  if (trials === undefined) return gridOf(space)
  const moving = space.filter((dimension) => !isFixed(dimension)).length
  if (moving > MOST_DIMENSIONS)
    throw new UsageError(`expected at most ${MOST_DIMENSIONS} parameters that move, got ${moving}`)
  const stream = randomStream(0, `sweep/${method}`)
  const drawn = Array.from({ length: trials }, () => Array.from({ length: moving }, () => stream.uniform()))
  const coordinate = (trial: number, dimension: number) =>
    sampler === 'halton' ? halton(trial + 1, dimension) : drawn[trial]![dimension]!
  return pointsOf(space, trials, coordinate)
}

/** A method with what is tried of it. */
export interface Searched {
  method: string
  /** Tells it from others of the same method, such as `mask=random`; empty for most. */
  label: string
  space: readonly Dimension[]
  trials: Setting[]
}

/** Names only what differs between the trials, after the label. */
export const variantOf = ({ label, space }: Pick<Searched, 'label' | 'space'>, { choice }: Setting): string => {
  const moved = space.filter((dimension) => !isFixed(dimension) && dimension.name in choice)
  const words = choiceText(Object.fromEntries(moved.map(({ name }) => [name, choice[name]])))
  return [label, words].filter(Boolean).join(', ')
}

export const methodsOf = (search: Searched, definition: MethodDefinition): LocalMethod[] =>
  search.trials.map((trial) => ({
    ...plannable(search.method, definition),
    params: trial.params,
    variant: variantOf(search, trial) || undefined,
  }))

export interface Tried {
  choice: Choice
  variant: string
  /** Mean and spread over the pilots; null where it came to nothing, which is worse than any gap. */
  gap: { mean: number; sd: number | null } | null
  /** Seconds that the pilots took, or how long it took to come to nothing. */
  seconds: number
  /** Why it came to nothing. */
  error: string | null
}

export interface Tuned {
  method: string
  label: string
  space: readonly Dimension[]
  /** The best first; what came to nothing last. */
  trials: Tried[]
  /** Over the trials that came to a gap. */
  search: { median: number; best: number; worst: number; sd: number | null } | null
  /** Trials that came to nothing. */
  failed: number
  /** What all of it cost: seconds of set-up, mask and unlearning. */
  seconds: number
}

interface Outcome {
  runs: LocalRun[]
  dropped: Dropped[]
  closer: string[]
  clusterOf?: (seed: number) => number
}

/** What came of a method's trials. Ties go to the earlier trial. */
export function tunedOf(search: Searched, { runs, dropped, closer, clusterOf }: Outcome): Tuned {
  const { method, label, space, trials } = search
  const tried = trials.map((trial): Tried => {
    const variant = variantOf(search, trial)
    const row = rowOf({ method, variant: variant || undefined })
    const own = runs.filter((run) => rowOf(run) === row)
    const drop = dropped.find((one) => rowOf(one) === row)
    const spent = own.reduce((sum, { seconds }) => sum + seconds, 0)
    const lost = drop?.error instanceof FruitlessError ? drop.error.seconds : 0
    const { choice } = trial
    if (drop) return { choice, variant, gap: null, seconds: spent + lost, error: drop.error.message }
    const { avgGap } = summarise(row, own, closer, clusterOf)
    return { choice, variant, gap: { mean: avgGap!.mean, sd: avgGap!.sd }, seconds: spent, error: null }
  })
  const worth = ({ gap }: Tried) => gap?.mean ?? Number.POSITIVE_INFINITY
  // Infinity − Infinity is no number.
  tried.sort((a, b) => (worth(a) < worth(b) ? -1 : worth(a) > worth(b) ? 1 : 0))
  const gaps = tried.flatMap(({ gap }) => gap?.mean ?? [])
  return {
    method,
    label,
    space,
    trials: tried,
    search:
      gaps.length > 0
        ? { median: median(gaps), best: gaps[0]!, worst: gaps.at(-1)!, sd: meanAndSpread(gaps).sd }
        : null,
    failed: tried.length - gaps.length,
    seconds: tried.reduce((sum, { seconds }) => sum + seconds, 0),
  }
}

/** The benchmark's preset with the best choice in it; null where nothing came to a gap. */
export function presetOf(benchmark: Benchmark, tuned: Tuned, settings: Setting[]): Choice | null {
  const { method, space, trials } = tuned
  const [best] = trials
  if (!best?.gap) return null
  const { params } = settings.find((setting) => variantOf(tuned, setting) === best.variant)!
  const fixed = space.filter(isFixed).map(({ name }) => name)
  const named = new Set([...Object.keys(benchmark.presets[method] ?? {}), ...fixed, ...Object.keys(best.choice)])
  return Object.fromEntries(Object.entries(params).filter(([name]) => named.has(name)))
}
