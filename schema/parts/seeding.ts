/** Three kinds of seeds: of training, of the forget set, of unlearning. A run has one number, from which its seeds follow, and its
 *  benchmark may say which of them several runs share. */
import { z } from 'zod'

/** So many runs in a row share a seed, or all of them. */
const sharing = z.union([z.int().min(1).max(1000), z.literal('all')])

/** Left out, every run has three seeds of its own. What few share lies within what many share, so that runs fall into clusters. */
export const seeding = z
  .strictObject({
    /** Initialisation and order of batches, of original and retrain alike. */
    runsPerTraining: sharing.default(1),
    /** What is held out, and what is drawn to be forgotten. */
    runsPerForgetSet: sharing.default(1),
  })
  .check(({ value: { runsPerTraining, runsPerForgetSet }, value, issues }) => {
    const refuse = (message: string) => issues.push({ code: 'custom', message, path: [], input: value })
    if (runsPerTraining === 1 && runsPerForgetSet === 1)
      refuse('expected one of both above 1; where every run has seeds of its own, leave seeding out')
    if (runsPerTraining === 'all' || runsPerForgetSet === 'all') return
    const [few, many] = [runsPerTraining, runsPerForgetSet].sort((a, b) => a - b) as [number, number]
    if (many % few !== 0)
      refuse('expected one to be a multiple of the other, or "all": else runs would share seeds across clusters')
  })
export type Seeding = z.infer<typeof seeding>

/** What of a benchmark tells the seeds of its runs. */
export interface WithSeeding {
  seeding?: Seeding | undefined
}

export interface Seeds {
  training: number
  forgetSet: number
  unlearning: number
}

/** The seeds of a run by its number, which boards and submissions call its seed. */
export function seedsOf({ seeding }: WithSeeding, run: number): Seeds {
  const shared = (runs: number | 'all' = 1) => (runs === 'all' ? 0 : Math.floor(run / runs))
  return { training: shared(seeding?.runsPerTraining), forgetSet: shared(seeding?.runsPerForgetSet), unlearning: run }
}

/** How many runs share a seed that others do not: what is measured in them is not independent. */
function runsPerCluster({ seeding }: WithSeeding): number {
  const { runsPerTraining = 1, runsPerForgetSet = 1 } = seeding ?? {}
  return Math.max(...[runsPerTraining, runsPerForgetSet].filter((runs) => runs !== 'all'), 1)
}

/** Runs of one cluster count as one: each by its number. A seed that all runs share makes no cluster, for it makes no difference
 *  between any two of them; figures are then those of this one seed. */
export function clustersOf(benchmark: WithSeeding): (run: number) => number {
  const runs = runsPerCluster(benchmark)
  return (run) => Math.floor(run / runs)
}

/** What n counts, and what figures say nothing of; null where every run has seeds of its own. */
export function seedingWords(benchmark: WithSeeding): string | null {
  const { seeding } = benchmark
  if (!seeding) return null
  const runs = runsPerCluster(benchmark)
  const { runsPerTraining, runsPerForgetSet } = seeding
  const shared = [
    ...(runsPerTraining === runs ? ['training seed'] : []),
    ...(runsPerForgetSet === runs ? ['forget set'] : []),
  ].join(' and ')
  return [
    runs > 1 &&
      `The ${runs} runs of one ${shared} are averaged first: means, spreads, tests and n are over these clusters, not over runs.`,
    runsPerTraining === 'all' && 'All runs share the training seed 0, and figures say nothing of other originals.',
    runsPerForgetSet === 'all' && 'All runs share the forget set of seed 0, and figures say nothing of others.',
  ]
    .filter(Boolean)
    .join(' ')
}
