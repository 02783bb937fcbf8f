/** A suite and its board: each row beside retrain on every class, and on average over the classes. */
import { z } from 'zod'
import { slug } from '../parts/recipe.ts'
import { absence, boardRow, column, ordering } from './board.ts'

export const suite = z.strictObject({
  slug,
  title: z.string(),
  summary: z.string(),
  /** In the order of their labels. */
  classes: z.array(z.strictObject({ label: z.int(), name: z.string(), benchmark: slug })),
})
export type SuiteView = z.infer<typeof suite>

export const suiteRow = z.strictObject({
  ...boardRow.shape,
  /** Slugs of the benchmarks that the averages are over: those of the seeds that were measured on the most classes. A row that
   *  lacks some of the suite's has no rank and no place. */
  averaged: z.array(slug),
  /** By slug of the benchmark; only classes with a measured run. */
  byClass: z.record(slug, z.strictObject(boardRow.pick({ metrics: true, avgGap: true, gapOfMeans: true }).shape)),
})
export type SuiteRow = z.infer<typeof suiteRow>

export const suiteBoard = z.strictObject({
  suite,
  columns: z.array(column),
  ordering,
  references: z.array(suiteRow),
  /** Values are means over the classes of each seed, then mean and spread over seeds. */
  rows: z.array(suiteRow),
  absent: z.array(absence),
  generatedAt: z.string(),
})
export type SuiteBoard = z.infer<typeof suiteBoard>
