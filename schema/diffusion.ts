/** Diffusion models: how noise is scheduled, how a denoiser is trained, and how it is sampled. */
import { z } from 'zod'
import { optimizer, schedule } from './benchmark.ts'

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
export type NoiseSchedule = z.infer<typeof noiseSchedule>

export const diffusion = z.strictObject({
  /** T: steps from an image to noise. */
  timesteps: z.int().min(2).max(10_000).default(1000),
  schedule: noiseSchedule.default({ kind: 'linear', first: 1e-4, last: 0.02 }),
})
export type Diffusion = z.infer<typeof diffusion>

/** An architecture by its id, with its own options, such as `{ "channels": 32, "multipliers": [1, 2] }`. */
export const denoiserRef = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(?:[.-][a-z0-9]+)*$/),
  params: z.record(z.string(), z.union([z.number(), z.array(z.number())])).default({}),
})
export type DenoiserRef = z.infer<typeof denoiserRef>

export const denoiserRecipe = z.strictObject({
  /** Steps of the optimizer, each on one batch. */
  steps: z.int().min(1).max(2_000_000),
  batchSize: z.int().min(2).max(4096),
  learningRate: z.number().positive(),
  schedule: schedule.default({ kind: 'constant' }),
  /** Steps of linear warm-up from 0, before the schedule. */
  warmUpSteps: z.int().min(0).default(0),
  optimizer,
  /** Largest global gradient norm; null leaves gradients as they are. */
  clipNorm: z.number().positive().nullable().default(1),
  /** Decay of the moving average of the weights, which is then sampled; null keeps none. Methods start from the weights
   *  themselves. */
  average: z.number().gt(0).lt(1).nullable().default(null),
  /** Share of a batch whose class is replaced by the null class, for classifier-free guidance. */
  dropCondition: z.number().min(0).lt(1).default(0.1),
  /** Random horizontal flips. */
  flip: z.boolean(),
})
export type DenoiserRecipe = z.infer<typeof denoiserRecipe>

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
  /** Images of each class. */
  perClass: z.int().min(1).max(50_000),
})
export type Sampling = z.infer<typeof sampling>
