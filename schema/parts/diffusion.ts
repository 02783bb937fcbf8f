/** Diffusion models: how noise is scheduled, what their training has beside any other's, and how they are sampled. */
import { z } from 'zod'

export const noiseSchedule = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('linear'),
    /** β of the first and of the last step (https://arxiv.org/abs/2006.11239). */
    first: z.number().gt(0).lt(1).default(1e-4),
    last: z.number().gt(0).lt(1).default(0.02),
  }),
  z.strictObject({
    kind: z.literal('cosine'),
    /** s of https://arxiv.org/abs/2102.09672 */
    offset: z.number().gt(0).lt(1).default(0.008),
  }),
])

export const diffusion = z.strictObject({
  /** T: steps from an image to noise. */
  timesteps: z.int().min(2).max(10_000).default(1000),
  schedule: noiseSchedule.default({ kind: 'linear', first: 1e-4, last: 0.02 }),
})
export type Diffusion = z.infer<typeof diffusion>

/** What makes a `train` or `unlearn` stage one of a denoiser. An epoch of its recipe is as many steps as D has batches, also where
 *  it trains on D_r, so that original and retrain take the same number; `augment` means horizontal flips. */
export const denoising = z.strictObject({
  diffusion,
  /** Share of a batch whose class is replaced by the null class, for classifier-free guidance. */
  dropCondition: z.number().min(0).lt(1).default(0.1),
  /** Decay of the moving average of the weights, which is sampled where there is one; null keeps none. Methods start from the
   *  weights themselves, and keep none. */
  average: z.number().gt(0).lt(1).nullable().default(null),
})
export type Denoising = z.infer<typeof denoising>

export const sampler = z.discriminatedUnion('kind', [
  z.strictObject({
    /** https://arxiv.org/abs/2010.02502: eta 0 adds no noise, eta 1 adds as much as DDPM's smaller variance. */
    kind: z.literal('ddim'),
    steps: z.int().min(1).max(10_000),
    eta: z.number().min(0).max(1).default(0),
  }),
  z.strictObject({
    /** Ancestral sampling, with β as the variance (https://arxiv.org/abs/2006.11239). */
    kind: z.literal('ddpm'),
    steps: z.int().min(1).max(10_000),
  }),
])
export type Sampler = z.infer<typeof sampler>

export const sampling = z.strictObject({
  sampler,
  /** w of ε = (1 + w) ε_c − w ε_∅; 0 asks for the class alone. */
  guidance: z.number().min(0).max(100).default(2),
  /** Keeps each step's estimate of the clean image within the range of pixels. */
  clip: z.boolean().default(false),
  /** Images of each class; image i is of class i mod C. */
  perClass: z.int().min(1).max(50_000),
})
export type Sampling = z.infer<typeof sampling>
