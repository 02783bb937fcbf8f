/** The contract of methods/: one unlearning algorithm a file, its file name is its id. Methods are handed a trainer and
 *  import neither Node nor onnxruntime, so the worker can import them to validate a submission. */
import { z } from 'zod'
import type { Mask } from './mask.ts'
import type { GenerationMethod } from './tasks/generation.ts'

export interface OptimizerOptions {
  momentum: number
  weightDecay: number
  /** Weights whose mask entry is 0 get no gradient. */
  mask?: Mask | undefined
  /** `gradient` multiplies only the gradient, so weight decay and momentum still move masked weights; `hard` also
   *  restores them (and their momentum) after each step, bit for bit. */
  freeze?: 'gradient' | 'hard' | undefined
  /** Soft-thresholds the change from the anchor weights after each step (SalUn-soft). */
  proximal?: boolean | undefined
}

export interface PassOptions {
  learningRate: number
  batchSize: number
  /** Class to fit for each item; the true class where absent. */
  labels?: Uint8Array | undefined
  /** Climbs the loss instead of descending it (gradient ascent). */
  ascend?: boolean | undefined
  /** Weight of the L1 norm of all parameters, added to the loss. */
  l1?: number | undefined
  /** With `proximal`: how many of the smallest changes are undone, as a share of all parameters. */
  undoneShare?: number | undefined
}

/** SGD with its own momentum buffer; the weights it moves are the trainer's. */
export interface TrainerOptimizer {
  /** One pass over the items in a fresh random order, in batches of `batchSize`, the last one smaller.
   *  Returns the mean loss. Throws DivergenceError when the loss is no longer finite. */
  pass(items: Int32Array, options: PassOptions): Promise<number>
  /** Takes the weights as they are now for the anchor of `proximal`. */
  anchor(): void
}

export interface Trainer {
  optimizer(options: OptimizerOptions): TrainerOptimizer
  /** A global mask with exactly int(density * N) ones over all N parameters. `saliency` keeps the entries with the largest
   *  |sum over batches of the gradient of the mean cross-entropy| on `items`, in evaluation mode; `inverted` keeps the
   *  smallest; `random` draws uniformly. Its time is counted as `mask`. */
  mask(options: {
    kind: 'saliency' | 'inverted' | 'random'
    density: number
    items: Int32Array
    batchSize: number
  }): Promise<Mask>
}

/** A stream of random numbers for one purpose of one seed. */
export interface RandomStream {
  /** Uniform integer in [0, bound). */
  integer(bound: number): number
  /** A new array with the same entries in uniformly random order. */
  shuffle(items: Int32Array): Int32Array
}

export interface MethodContext<Params> {
  params: Params
  trainer: Trainer
  /** D_f and D_r as indices into the training set, in dataset order. */
  forget: Int32Array
  retain: Int32Array
  /** True class of each training example, and how many classes there are. */
  labels: Uint8Array
  classes: number
  random: RandomStream
}

export interface MethodDefinition<Params = Record<string, unknown>> {
  title: string
  /** One sentence that says what it does. */
  summary: string
  paper: { title: string; url: string } | null
  /** Raised when the same parameters give other numbers than before. */
  version: number
  params: z.ZodType<Params>
  /** Set by methods that are themselves a training, for either task: `original` on all of D, `retrain` on D_r. */
  trainsOn?: 'all' | 'retain'
  /** Unlearns a classifier. */
  run?(context: MethodContext<Params>): Promise<void>
  /** Unlearns a diffusion model, with parameters of its own. */
  generation?: GenerationMethod
}

export type Task = 'classification' | 'generation'

/** The parameters that a method takes for a task; null where it has nothing to offer. */
export function paramsFor(method: MethodDefinition, task: Task): z.ZodType<Record<string, unknown>> | null {
  if (method.trainsOn) return method.params
  if (task === 'classification') return method.run ? method.params : null
  return method.generation?.params ?? null
}

export function defineMethod<Params>(definition: MethodDefinition<Params>): MethodDefinition {
  return definition as unknown as MethodDefinition
}

/** Parameters of SGD that every iterative method takes; the defaults are the reference code's. */
export const sgd = z.strictObject({
  /** Passes over the data the method trains on. */
  epochs: z.int().min(1).max(1000).default(10),
  learningRate: z.number().positive().max(10).default(0.01),
  batchSize: z.int().min(1).max(4096).default(256),
  momentum: z.number().min(0).lt(1).default(0.9),
  weightDecay: z.number().min(0).max(1).default(5e-4),
})
