/** What RL and SalUn share on a denoiser: D_f answers as another class does, D_r is fitted on. */
import { z } from 'zod'
import type { Context } from '../../method.ts'
import {
  adamSteps,
  type DiffusionBatch,
  type DiffusionTerm,
  type DiffusionTypes,
  fitImages,
} from '../../tasks/generation/vocabulary.ts'

export const otherClass = adamSteps.extend({
  alpha: z
    .number()
    .min(0)
    .max(1000)
    .default(1e-3)
    .describe(
      'Factor of the loss on D_r (summed over an image), beside the loss on D_f (averaged over everything). At 0 all classes are lost: the released code defaults to 1, its instructions say 0.001.',
    ),
  other: z
    .enum(['next', 'random'])
    .default('next')
    .describe(
      'The class whose prediction replaces that of the forgotten one: the next (c + 1 mod C, the released code) or a random one.',
    ),
})

/** |ε_θ(x_t, c) − stop(ε_θ(x_t, c'))|²: answers as the network answers under another class c'. */
export const answerAsOther = (
  items: Int32Array,
  { batchSize, dropCondition, other }: Pick<DiffusionBatch, 'batchSize' | 'dropCondition' | 'other'>,
  reduction: 'sum' | 'mean',
): DiffusionTerm => ({
  on: { items, batchSize, dropCondition, other },
  loss: ({ x, t, label, other, predict, stop, squaredError }) =>
    squaredError(predict({ x, t, label }), stop(predict({ x, t, label: other })), reduction),
})

export const otherClassTerms = ({
  forget,
  retain,
  params,
}: Pick<Context<DiffusionTypes, z.infer<typeof otherClass>>, 'forget' | 'retain' | 'params'>): DiffusionTerm[] => [
  answerAsOther(forget, params, 'mean'),
  ...(params.alpha > 0 ? [fitImages(retain, params, params.alpha)] : []),
]
