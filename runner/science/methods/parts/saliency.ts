/** SalUn's mask as a part of any method that trains by an optimizer: which weights may move is one decision, what they learn another
 *  (https://arxiv.org/abs/2310.12508). A classifier's method takes `...masked` among its parameters, within `acting`, and gives its
 *  optimizer `mask: await maskFor(context)`. */
import { z } from 'zod'
import { actingWith, addedLater } from '../../acting.ts'
import type { Mask } from '../../mask.ts'
import type { Context } from '../../method.ts'
import { type ClassifierTypes, fitLabels } from '../../tasks/classification/vocabulary.ts'
import type { DiffusionTypes } from '../../tasks/generation/vocabulary.ts'

/** Parameters of a mask. */
const MASKED = { mask: ['saliency', 'random', 'inverted'] }

export const maskKind = z.enum(['saliency', 'random', 'inverted', 'none'])

/** Share of the weights that may move. */
export const density = actingWith(
  z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe("Mask density: share of all parameters that may move; 0.5 is the paper's median threshold."),
  MASKED,
)

/** Adam without decay moves no weight that has no gradient, so that both would be one. */
export const freeze = actingWith(
  z
    .enum(['hard', 'gradient'])
    .default('hard')
    .describe(
      '`hard` keeps the other weights bit for bit (the paper, and the released code since 2026-02-28); `gradient` masks only the gradient, so weight decay and momentum still move them (the code behind the published numbers).',
    ),
  MASKED,
)

/** Of a denoiser, where a gradient makes the mask. */
export const guidanceOfMask = z
  .number()
  .min(0)
  .max(100)
  .default(2)
  .describe('Guidance of the prediction whose loss gives the saliency: 2 in the released code; 0 takes the plain loss.')
export const maskGuidance = actingWith(guidanceOfMask, { mask: ['saliency', 'inverted'] })

const pluggedIn = addedLater(
  maskKind
    .default('none')
    .describe(
      "SalUn's mask on this method: `none` lets all weights move; `saliency` those with the largest gradient of the loss on D_f; `random` and `inverted` (the smallest) are its controls at the same density.",
    ),
)

/** Parameters of a method that a mask can be put on, with SGD or an Adam that decays. */
export const masked = { mask: pluggedIn, density, freeze }
/** The same with an Adam that doesn't, or with no optimizer. */
export const plainMasked = { mask: pluggedIn, density }
/** The same of a denoiser's method, whose Adam doesn't. */
export const denoiserMasked = { mask: pluggedIn, density, maskGuidance }

interface Choice {
  mask?: z.infer<typeof maskKind> | undefined
  density: number
}

/** The mask that the parameters ask for, by the loss of a classifier on D_f; undefined lets all weights move. */
export async function maskFor({
  params: { mask: kind = 'none', density, batchSize },
  trainer,
  forget,
}: Pick<Context<ClassifierTypes, Choice & { batchSize: number }>, 'params' | 'trainer' | 'forget'>): Promise<
  Mask | undefined
> {
  return kind === 'none' ? undefined : await trainer.mask({ kind, density, of: fitLabels(forget, { batchSize }) })
}

/** The same of a denoiser; the gradient of each batch is clipped to norm 1, and `maskGuidance` guides the prediction. */
export async function denoiserMaskFor({
  params: { mask: kind = 'none', density, batchSize, maskGuidance: guidance },
  trainer,
  forget,
}: Pick<
  Context<DiffusionTypes, Choice & { batchSize: number; maskGuidance: number }>,
  'params' | 'trainer' | 'forget'
>): Promise<Mask | undefined> {
  if (kind === 'none') return undefined
  return await trainer.mask({
    kind,
    density,
    clipNorm: 1,
    of: {
      on: { items: forget, batchSize },
      loss: ({ x, t, label, noise, predict, squaredError }) =>
        squaredError(noise, predict({ x, t, label }, { guidance }), 'sum'),
    },
  })
}
