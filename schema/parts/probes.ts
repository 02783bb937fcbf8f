/** What a benchmark of classifiers can ask to be tried on a model after its answers: how soon it learns D_f again, and what its
 *  features still hold. */
import { z } from 'zod'
import { optimizer, type TrainingRecipe } from './recipe.ts'

/** Training on D_f at a constant rate, with the optimizer of the benchmark's training. */
const relearn = {
  steps: z.int().min(1).max(100_000).default(60),
  /** Steps between two looks at the accuracy; it divides `steps`. */
  every: z.int().min(1).max(100_000).default(3),
  batchSize: z.int().min(1).max(4096),
  learningRate: z.number().positive(),
  /** Images of D_r beside each of D_f, drawn once. */
  retained: z.number().min(0).max(10).default(0),
}

/** Logistic regression on the features before the last layer, which stay as they are. */
const linear = z.strictObject({
  /** Images that it learns from at most, of every class as many. */
  images: z.int().min(100).max(100_000).default(5000),
  /** λ of mean loss + λ/2 ‖W‖², on standardised features. */
  penalty: z.number().min(1e-6).max(10).default(1e-3),
})

const evenly = {
  check: ({ steps, every }: { steps: number; every: number }) => steps % every === 0,
  error: 'expected steps to be a multiple of every',
}

const whole = z
  .strictObject({
    ...relearn,
    optimizer,
    clipNorm: z.number().positive().nullable(),
    augment: z.boolean(),
  })
  .refine(evenly.check, evenly.error)

/** As a benchmark asks for them: the batch size is that of its training and the rate a tenth of it, unless it says others. */
export const askedProbes = z
  .strictObject({
    relearn: z
      .strictObject({
        ...relearn,
        batchSize: relearn.batchSize.optional(),
        learningRate: relearn.learningRate.optional(),
      })
      .refine(evenly.check, evenly.error)
      .optional(),
    linear: linear.optional(),
  })
  .refine(({ relearn, linear }) => relearn || linear, 'expected "relearn", "linear" or both')
export type AskedProbes = z.infer<typeof askedProbes>

/** As a stage is told them: everything that determines what they come to. */
const probes = z.strictObject({ relearn: whole.optional(), linear: linear.optional() })
export type Probes = z.infer<typeof probes>
export type Relearning = z.infer<typeof whole>
export type LinearProbe = z.infer<typeof linear>

/** What a stage is told of the probes of a benchmark. */
export function probesFor({ relearn, linear }: AskedProbes, training: TrainingRecipe): Probes {
  const { optimizer, clipNorm, augment } = training
  const { batchSize = training.batchSize, learningRate = training.learningRate / 10 } = relearn ?? {}
  return {
    ...(relearn && { relearn: { ...relearn, batchSize, learningRate, optimizer, clipNorm, augment } }),
    ...(linear && { linear }),
  }
}

/** The part of an evaluate stage. */
export const probedPart = z.strictObject({ probes: probes.optional() })

/** What an evaluate stage tries beside asking for answers. */
export const probesOf = ({ part }: { part: Record<string, unknown> }): Probes => probedPart.parse(part).probes ?? {}
