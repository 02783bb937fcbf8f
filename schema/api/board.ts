/** The ranking of one benchmark, as API and page both show it. */
import { z } from 'zod'
import { benchmark } from '../benchmark.ts'
import { slug } from '../parts/recipe.ts'
import { runSummary, tuning, withdrawal } from './submission.ts'

/** Mean, sample standard deviation (n - 1; null for n < 2) and n over seeds. Where the benchmark lets runs share seeds, all three are
 *  over the means of clusters of runs, and `runs` says of how many, if of more than n. */
export const spread = z.strictObject({
  mean: z.number(),
  sd: z.number().nullable(),
  n: z.int(),
  runs: z.int().optional(),
})
export type Spread = z.infer<typeof spread>

export const cell = z.strictObject({
  ...spread.shape,
  /** Mean over seeds of value minus retrain of the same seed, in the metric's unit; null where no seed has both. */
  gap: z.number().nullable(),
  /** How sure it is that this gap is not 0: p-value of the insured t-test over the seeds, not corrected for many rows; 1 for fewer
   *  than three. */
  gapP: z.number().nullable(),
})

export const column = z.strictObject({
  id: z.string(),
  title: z.string(),
  unit: z.string(),
  /** As the benchmark names it; `measured` may say more after a `;`. */
  identity: z.string(),
  /** UA, RA, TA, MIA and the AUCs of classifiers are better when closer to retrain; others may have a direction of their own. */
  better: z.enum(['closer-to-retrain', 'smaller', 'larger']),
  /** Whether Avg. Gap is the mean over it, among others. */
  inAvgGap: z.boolean(),
  /** Whether a value is of two models, the row's and retrain's of the same seed: it has no gap, and retrain itself has none. */
  ofTwo: z.boolean().default(false),
  /** Full identities of the values shown, the most frequent first: with more than one, values were not measured alike. */
  measured: z.array(z.string()),
})

/** What orders the rows. */
export const ordering = z.strictObject({
  by: z.enum(['avg-gap', 'worst-place']),
  /** Ids of the columns whose places count; empty for Avg. Gap. */
  columns: z.array(z.string()),
  /** The rule, for people. */
  words: z.string(),
  /** What n counts where runs share seeds, and what the figures then say nothing of; for people. */
  clusters: z.string().optional(),
})
export type Ordering = z.infer<typeof ordering>

export const boardRow = z.strictObject({
  /** The first submission of this method, version and parameters. */
  submission: z.string(),
  /** All of them: equal settings share a row and pool their seeds. */
  submissions: z.array(z.string()),
  method: z.string(),
  methodVersion: z.int(),
  title: z.string(),
  label: z.string(),
  params: z.record(z.string(), z.unknown()),
  author: z.string(),
  /** What choosing the parameters cost, as an author says; null where nothing was said. */
  tuning: tuning.nullable(),
  metrics: z.record(z.string(), cell),
  /** Mean over seeds of the mean absolute gap over the metrics that are in it, in points; what ranks are made of. */
  avgGap: spread.nullable(),
  /** Of the same seeds, the mean over these metrics of the absolute difference of means over seeds, as papers' tables have it; of a
   *  suite, its mean over the classes. */
  gapOfMeans: z.number().nullable(),
  /** What `avgGap` is the mean of, by seed. */
  gapBySeed: z.record(z.string(), z.number()),
  /** Set-up, mask and unlearning of each seed, in seconds. */
  seconds: spread.nullable(),
  mask: spread.nullable(),
  /** The same over the training time of retrain with that seed, on the same device class. */
  fractionOfRetrain: spread.nullable(),
  /** A range: 1 + the rows that beat this one, to n - the rows it beats; null for reference rows and rows without a gap. */
  rank: z.strictObject({ low: z.int(), high: z.int() }).nullable(),
  /** Where `worst-place` orders the board: the place, which equal rows share, and the places that it follows from, by column id.
   *  Null for reference rows and rows without all of these metrics. */
  standing: z.strictObject({ place: z.int(), places: z.record(z.string(), z.int()) }).nullable(),
  /** Full identities of the values of each cell, by column id; with more than one, the cell has no mean. */
  identities: z.record(z.string(), z.array(z.string())),
  deviceClass: z.string().nullable(),
  /** One a seed: where several submissions ran a seed, the one that got furthest. */
  runs: z.array(runSummary),
  /** Seeds that were measured and don't count: a row counts the benchmark's own, then those that follow, without a gap, so that
   *  nobody chooses the best. A row that lacks one of the benchmark's own has no rank and no place. */
  uncounted: z.array(z.int()),
  /** How often its authors submitted the method to the benchmark in private, with any parameters. */
  privateTrials: z.int(),
})
export type Column = z.infer<typeof column>
export type Cell = z.infer<typeof cell>
export type BoardRow = z.infer<typeof boardRow>

/** What a board showed and shows no more, and why. */
export const absence = z.strictObject({
  submission: z.string(),
  method: z.string(),
  title: z.string(),
  author: z.string(),
  at: z.string(),
  /** Withdrawn: the whole submission. Set aside: results of a runner, which are being computed anew. */
  why: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('withdrawn'), by: withdrawal.shape.by }),
    z.strictObject({
      kind: z.literal('set-aside'),
      run: z.string(),
      benchmark: slug,
      seed: z.int(),
      runner: z.string(),
    }),
  ]),
  reason: z.string(),
})
export type Absence = z.infer<typeof absence>

/** What boards of benchmarks and of suites have in common. */
export type Ranking<Row extends BoardRow = BoardRow> = Pick<Board, 'columns' | 'ordering'> & {
  references: Row[]
  rows: Row[]
  absent: Absence[]
}

export const board = z.strictObject({
  benchmark,
  columns: z.array(column),
  ordering,
  /** Retrain, a second retrain where there is one, and original: shown first, outside the ranking. */
  references: z.array(boardRow),
  rows: z.array(boardRow),
  /** The newest first. */
  absent: z.array(absence),
  generatedAt: z.string(),
})
export type Board = z.infer<typeof board>
