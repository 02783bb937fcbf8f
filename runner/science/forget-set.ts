/** Forget sets that are found with the original of a seed, where evidence is not enough: what a task says of them. */
import { z } from 'zod'
import type { RandomStream, TaskTypes, Trainer } from './method.ts'

export interface Searching<T extends TaskTypes = TaskTypes> {
  /** At the weights of the original. */
  trainer: Trainer<T>
  /** D, in dataset order. */
  items: Int32Array
  /** How many of them are wanted; fewer than all. */
  count: number
  batchSize: number
}

export interface FoundSet {
  /** Positions in the training set, ascending. */
  list: Int32Array
  /** What is told of them, such as how far they lie. */
  words: string
}

/** How a worst case is looked for. */
export const worstCase = z.strictObject({
  rounds: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe('How often unlearning and a step of the weights follow one another.'),
  passes: z.int().min(1).max(1000).default(10).describe('Passes over D in each unlearning, from the original.'),
  learningRate: z
    .number()
    .positive()
    .max(1)
    .default(1e-3)
    .describe(
      'What each sign of a gradient moves a weight of the model by: 0.001 in the example of the released code, whose default is 0.01.',
    ),
  weightRate: z
    .number()
    .positive()
    .max(1000)
    .default(1)
    .describe(
      'Step of the weights of the images. With the 0.01 of the released code a first member is replaced only where its losses sum to about 100.',
    ),
  gamma: z
    .number()
    .min(0)
    .max(1000)
    .default(0)
    .describe('γ: factor of the squared norm of the weights, which draws them away from 0 and 1.'),
})
export type WorstCase = z.infer<typeof worstCase>

/** What a task can find. */
export interface ForgetSets<T extends TaskTypes = TaskTypes> {
  nearest(searching: Searching<T>, to: readonly number[]): Promise<FoundSet>
  worst(
    searching: Searching<T>,
    asked: WorstCase & {
      /** Looks for the images whose forgetting shows most, in place of those whose forgetting shows least. */
      easiest: boolean
      random: RandomStream
      onRound(round: number): void
    },
  ): Promise<FoundSet>
}
