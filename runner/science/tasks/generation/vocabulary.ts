/** What a method can say about a class-conditional diffusion model: its batches, what a loss may look at, and the losses that
 *  several methods share. */
import { z } from 'zod'
import type { Labels } from '../../../formats/labels.ts'
import type { Expr, Push } from '../../expression.ts'
import { type Kept, type Term, unlearningOf } from '../../method.ts'
import type { Parameter } from '../../weights.ts'

/** Images [n, c, h, w] that a network made, with the class each was asked for. */
export interface GeneratedImages {
  images: Uint8Array
  labels: Labels
}

/** Every batch draws its images, timesteps and noise anew. */
export type DiffusionBatch = {
  batchSize: number
  /** Share of the batch whose class is replaced by the null class. */
  dropCondition?: number | undefined
  /** Draws another class for each image: the class after its own, any but its own, or any that is the same for all images of a
   *  batch that are of one class. */
  other?: 'next' | 'random' | 'shared' | undefined
} & (
  | {
      /** Positions in the training set. */
      items: Int32Array
    }
  | {
      /** Images of a method's own, all of them. */
      from: GeneratedImages
      /** Takes every image at every timestep, in order, in place of a timestep that is drawn: a batch size that divides the number
       *  of timesteps keeps images apart. */
      everyTimestep?: boolean | undefined
      /** What bytes stand for: numbers in [−1, 1], as in training, or in [0, 1]. */
      pixels?: 'signed' | 'unit' | undefined
    }
  | {
      /** Uniform noise in the place of images of this class. */
      uniform: number
    }
  | {
      /** x_t itself: random steps of DDIM sampling of a class from noise, the first of which is the noise, by the weights of the
       *  step or by a kept model. Such x_t carry no record of their noise. */
      sampled: { label: number; guidance: number; steps: number; of?: Kept | undefined }
    }
)

export interface Denoising {
  x: Expr
  t: Expr
  label: Expr
}

export interface DiffusionValues {
  /** x_t = sqrt(ᾱ_t) x_0 + sqrt(1 − ᾱ_t) ε, [n, c, h, w]. */
  readonly x: Expr
  /** Timesteps, [n]. */
  readonly t: Expr
  /** Classes, [n]; some of them the null class, as the batch says. */
  readonly label: Expr
  /** The other classes that the batch draws, [n]. */
  readonly other: Expr
  /** ε, the noise that was added. */
  readonly noise: Expr
  /** The null class for each image, [n]. */
  readonly none: Expr
  /** ε_θ(x_t, c), the noise that is predicted; with `of` by a kept model. Dropout drops while the model trains. With `guidance` w
   *  it is (1 + w) ε_c − w ε_∅. */
  predict(inputs: Denoising, options?: { of?: Kept | undefined; guidance?: number | undefined }): Expr
}

export interface DiffusionVerbs {
  /** Whether a parameter belongs to the path by which the class enters. */
  conditioning(parameter: Parameter): boolean
  /** How many timesteps x_t may be at. */
  readonly timesteps: number
  /** Samples `perClass` images of each of the classes by DDIM, in the order of the classes. */
  generate(options: {
    classes: number[]
    perClass: number
    guidance: number
    steps: number
    /** η: 0 samples without fresh noise, 1 with as much as DDPM. */
    eta?: number
  }): Promise<GeneratedImages>
}

export interface DiffusionTypes {
  batch: DiffusionBatch
  values: DiffusionValues
  verbs: DiffusionVerbs
}
export type DiffusionTerm = Term<DiffusionTypes>

/** Makes those values while a loss is recorded. */
export function diffusionValues(push: Push): DiffusionValues {
  return {
    get x() {
      return push('x', [])
    },
    get t() {
      return push('t', [])
    },
    get label() {
      return push('label', [])
    },
    get other() {
      return push('other', [])
    },
    get noise() {
      return push('noise', [])
    },
    get none() {
      return push('none', [])
    },
    predict: ({ x, t, label }, { of, guidance = 0 } = {}) =>
      push('predict', [x, t, label], { net: of ? of.number : null, guidance }),
  }
}

/** What a method does for image generation. */
export const onGeneration = unlearningOf<DiffusionTypes>()

/** DDPM's training loss on images of the dataset: |ε − ε_θ(x_t, c)|², summed over an image unless it is asked for otherwise. */
export const fitImages = (
  items: Int32Array,
  { batchSize, dropCondition }: Pick<DiffusionBatch, 'batchSize' | 'dropCondition'>,
  weight = 1,
  reduction: 'sum' | 'mean' = 'sum',
): DiffusionTerm => ({
  on: { items, batchSize, dropCondition },
  weight,
  loss: ({ x, t, label, noise, predict, squaredError }) => squaredError(predict({ x, t, label }), noise, reduction),
})

/** Parameters that every method with steps on a denoiser takes; the defaults are those of SalUn's code for CIFAR-10. */
export const adamSteps = z.strictObject({
  steps: z.int().min(1).max(1_000_000).default(1000).describe('Steps of Adam.'),
  learningRate: z.number().positive().max(1).default(1e-4).describe('Learning rate of Adam.'),
  batchSize: z.int().min(2).max(4096).default(128).describe('Images in the batch of each term.'),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe('Largest global gradient norm, before a mask; null leaves gradients as they are.'),
  dropCondition: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe('Share of a batch whose class is replaced by the null class.'),
})

/** For methods whose released code gives an average of the weights. */
export const adamAverage = z
  .number()
  .gt(0)
  .lt(1)
  .nullable()
  .describe(
    'Decay of a moving average of the weights over the steps, which begins at the original and is what the method gives, as by the released code; null gives the last weights.',
  )
