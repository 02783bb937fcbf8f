/** The part of the contract of methods/ that forgets in image generation: what a method is handed to unlearn a class-conditional
 *  diffusion model. Pure, like runner/method.ts. */
import { z } from 'zod'
import type { Mask } from '../mask.ts'

/** `sum` adds squares over an image and averages over the batch, `mean` averages over everything; weights belong to one. */
export type Reduction = 'sum' | 'mean'

/** What one term of the loss is about. Every batch draws its images, timesteps and noise anew. */
export type Term = {
  weight: number
  reduction: Reduction
  batchSize: number
  /** Share of a batch whose class is replaced by the null class. */
  dropCondition: number
} & (
  | {
      /** |ε − ε_θ(x_t, c)|²: fits the images, or, with a weight below 0, unlearns them. */
      kind: 'noise'
      images: ImageSource
    }
  | {
      /** |ε_θ(x_t, c) − stop(ε_θ(x_t, c'))|²: answers as the network answers under another class. */
      kind: 'other-class'
      items: Int32Array
      /** c': the class after c, or any other one. */
      other: 'next' | 'random'
    }
  | {
      /** |ε_θ(x_t, c) − (ε0_∅ − η (ε0_c − ε0_∅))|² with the frozen network ε0 of `anchor()`. */
      kind: 'negative-guidance'
      strength: number
      /** x_t: images of the class with noise, or steps of the network's own sampling from noise, guided by `guidance`. */
      latents:
        | { kind: 'noised'; items: Int32Array }
        | { kind: 'sampled'; label: number; guidance: number; steps: number }
    }
)

export type ImageSource =
  | { kind: 'dataset'; items: Int32Array }
  | { kind: 'generated'; images: GeneratedImages }
  /** Uniform noise in the place of images of a class. */
  | { kind: 'uniform'; label: number }

/** Images [n, c, h, w] that a network made, with the class each was asked for. */
export interface GeneratedImages {
  images: Uint8Array
  labels: Uint8Array
}

/** How much each weight matters to what should stay, by parameter name. */
export type Importance = ReadonlyMap<string, Float32Array>

export interface DenoiserOptimizerOptions {
  learningRate: number
  clipNorm: number | null
  mask?: Mask | undefined
  /** As for classifiers: `hard` keeps masked weights bit for bit. */
  freeze?: 'gradient' | 'hard' | undefined
  /** Adds λ sum F (θ − θ0)², with θ0 of `anchor()`. */
  elastic?: { strength: number; importance: Importance } | undefined
  /** Treats the first term as the lower of two levels (EraseDiff). */
  bilevel?: { inner: number; innerRate: number; adaptive: number } | undefined
}

/** Adam with its own moments; the weights it moves are the trainer's. */
export interface DenoiserOptimizer {
  /** Takes steps on the weighted sum of the terms. Throws DivergenceError when the loss is no longer finite. */
  steps(count: number, terms: Term[]): Promise<void>
}

export interface DenoiserTrainer {
  optimizer(options: DenoiserOptimizerOptions): DenoiserOptimizer
  /** A global mask with exactly int(density * N) ones. `saliency` keeps the entries with the largest |sum over batches of the
   *  clipped gradient of the noise loss (sum)| on the items, in evaluation mode. Its time is counted as `mask`. */
  mask(options: {
    kind: 'saliency' | 'inverted' | 'random'
    density: number
    items: Int32Array
    batchSize: number
    /** Guidance of the prediction whose loss is taken; 0 takes the plain loss. */
    guidance: number
  }): Promise<Mask>
  /** The weights of the path by which the class enters, or all others. */
  part(which: 'conditioning' | 'rest'): Mask
  /** Takes the weights as they are now for θ0 and ε0. */
  anchor(): void
  /** Samples `perClass` images of each of the classes by DDIM. */
  generate(options: { classes: number[]; perClass: number; guidance: number; steps: number }): Promise<GeneratedImages>
  /** Diagonal of the Fisher information: mean square of the gradient of the noise loss of single images. */
  fisher(images: GeneratedImages): Promise<Importance>
}

export interface GenerationContext<Params> {
  params: Params
  trainer: DenoiserTrainer
  /** D_f and D_r as indices into the training set, in dataset order. */
  forget: Int32Array
  retain: Int32Array
  /** The class to be forgotten, and how many classes there are. */
  forgotten: number
  classes: number
}

/** What a method does for image generation. */
export interface GenerationMethod<Params = Record<string, unknown>> {
  params: z.ZodType<Params>
  run(context: GenerationContext<Params>): Promise<void>
}

export const defineGeneration = <Params>(definition: GenerationMethod<Params>): GenerationMethod =>
  definition as unknown as GenerationMethod

/** Parameters that every method with steps on a denoiser takes; the defaults are those of SalUn's code for CIFAR-10. */
export const denoiserSteps = z.strictObject({
  /** Steps of Adam. */
  steps: z.int().min(1).max(1_000_000).default(1000),
  learningRate: z.number().positive().max(1).default(1e-4),
  /** Images in the batch of each term. */
  batchSize: z.int().min(2).max(4096).default(128),
  /** Largest global gradient norm, before a mask; null leaves gradients as they are. */
  clipNorm: z.number().positive().nullable().default(1),
  /** Share of a batch whose class is replaced by the null class. */
  dropCondition: z.number().min(0).lt(1).default(0.1),
})

/** The noise loss on images of the dataset, summed over an image. */
export const noiseTerm = (
  items: Int32Array,
  weight: number,
  { batchSize, dropCondition }: Pick<z.infer<typeof denoiserSteps>, 'batchSize' | 'dropCondition'>,
): Term => ({ kind: 'noise', images: { kind: 'dataset', items }, weight, reduction: 'sum', batchSize, dropCondition })

/** SalUn and RL on a denoiser: D_f answers as another class does, D_r is fitted on. */
export const otherClass = denoiserSteps.extend({
  /** Factor of the loss on D_r (summed over an image), beside the loss on D_f (averaged over everything). At 0 all classes are
   *  lost: the released code defaults to 1, its instructions say 0.001. */
  alpha: z.number().min(0).max(1000).default(1e-3),
  /** The class whose prediction replaces that of the forgotten one: the next (c + 1 mod C, the released code) or a random one. */
  other: z.enum(['next', 'random']).default('next'),
})

export const otherClassTerms = ({
  forget,
  retain,
  params,
}: Pick<GenerationContext<z.infer<typeof otherClass>>, 'forget' | 'retain' | 'params'>): Term[] => [
  {
    kind: 'other-class',
    items: forget,
    other: params.other,
    weight: 1,
    reduction: 'mean',
    batchSize: params.batchSize,
    dropCondition: params.dropCondition,
  },
  ...(params.alpha > 0 ? [noiseTerm(retain, params.alpha, params)] : []),
]
