/** The contract of methods/: one unlearning algorithm a file, its file name is its id. A method says its loss as an expression over
 *  the values of its task and asks a trainer for a few verbs; it imports neither Node nor onnxruntime, so the worker can import
 *  it to validate a submission, and any executor can run it. */
import { z } from 'zod'
import type { Benchmark } from '../../schema/benchmark.ts'
import type { Expr, Operations } from './expression.ts'
import type { Mask, MaskChoice } from './mask.ts'
import type { Parameter, Weights } from './weights.ts'

/** What differs from task to task: how a batch is drawn, what a loss may look at, and further verbs. */
export interface TaskTypes {
  batch: unknown
  values: object
  verbs: object
}

/** What a method was asked for can't be done with this model, request or data; thrown before anything long. */
export class UnfitError extends Error {
  override name = 'UnfitError'
}

/** Weights that stay as they are while the model moves on: a teacher, or what changes are measured from. */
export interface Kept {
  readonly number: number
  /** Takes the weights as they are now in place of those from before, or values of the method's own. */
  retake(values?: Weights): void
}

/** One part of what is descended: batches, and a scalar loss of each. */
export interface Term<T extends TaskTypes> {
  on: T['batch']
  loss(values: T['values'] & Operations): Expr
  /** Factor of the loss; below 0 it is climbed. */
  weight?: number
}

/** Values of expressions over all weights. */
export interface WeightValues {
  /** The weights of the step. */
  readonly weights: Expr
  weightsOf(kept: Kept): Expr
}

/** Values of an expression that combines the terms of a step by itself. Terms are numbered in their order. */
export interface DirectionValues extends WeightValues {
  loss(term: number): Expr
  /** Gradient of a term's loss for the weights. */
  gradient(term: number): Expr
  /** The same of the same batch at other weights; what is stopped in the loss stays as it is at the weights of the step. */
  lossAt(term: number, weights: Expr): Expr
  gradientAt(term: number, weights: Expr): Expr
}

export interface OptimizerOptions {
  learningRate: number
  /** Largest global gradient norm, before a mask; null leaves gradients as they are. */
  clipNorm?: number | null | undefined
  /** Weights whose mask entry is 0 get no gradient. */
  mask?: Mask | undefined
  /** `gradient` multiplies only the gradient, so weight decay and momentum still move masked weights; `hard` also
   *  restores them (and their momentum) after each step, bit for bit. */
  freeze?: 'gradient' | 'hard' | undefined
  /** A scalar of the weights that is descended beside the terms; reported losses leave it out. */
  penalty?: ((values: WeightValues & Operations) => Expr) | undefined
  /** The direction to climb down in place of the gradient of the weighted sum of the terms. */
  direction?: ((values: DirectionValues & Operations) => Expr) | undefined
  /** Decay of a moving average of the weights, which begins where its optimizer does; null keeps none. */
  average?: number | null | undefined
  /** What becomes of the weights after each step. */
  after?: ((values: WeightValues & Operations) => Expr) | undefined
  /** Tensors that are trained beside the weights, by names of the method's own; losses see them as `own(name)`. They move as the
   *  weights do, but without a mask, and go with their optimizer: the model stays as it is built. */
  own?: Readonly<Record<string, OwnTensor>> | undefined
}

/** A tensor of the method's own, with what it begins with. */
export interface OwnTensor {
  shape: readonly number[]
  values: Float32Array
}

export interface SgdOptions extends OptimizerOptions {
  momentum: number
  weightDecay: number
}

export interface AdamOptions extends OptimizerOptions {
  /** Taken off the weights themselves, as AdamW does. */
  weightDecay?: number | undefined
}

/** How long to descend: over all items of the first term in a fresh random order, the last batch smaller, or a number of steps
 *  whose batches are drawn from endless reshuffled passes. Further terms of a pass are drawn that way too. */
export type Span = ({ passes: number } | { steps: number }) & {
  /** In place of the optimizer's own, for all steps or by step. */
  learningRate?: number | ((step: number) => number)
  clipNorm?: number | null
  /** Null descends the weighted sum of the terms. */
  direction?: null
  /** Null leaves the average as it is. */
  average?: null
  /** Values of `number(name)`, for all steps or by step. */
  numbers?: Record<string, number | ((step: number) => number)>
}

/** An optimizer with state of its own; the weights it moves are the trainer's. */
export interface Optimizer<T extends TaskTypes> {
  /** Descends the weighted sum of the terms. Gives the mean of that sum over the last pass, or over all steps. Throws
   *  DivergenceError when it is no longer finite. */
  descend(terms: readonly Term<T>[], span: Span): Promise<number>
  /** Puts the moving average in the place of the weights. */
  takeAverage(): Promise<void>
  /** A tensor of the method's own as it is now. */
  own(name: string): Promise<Float32Array>
}

export interface Trainer<T extends TaskTypes> {
  /** In their order in flat vectors. */
  readonly parameters: readonly Parameter[]
  /** SGD as PyTorch defines it. */
  sgd(options: SgdOptions): Optimizer<T>
  /** Adam, or with a weight decay AdamW: β 0.9 and 0.999, ε 1e-8. */
  adam(options: AdamOptions): Optimizer<T>
  /** The model as it is now. */
  keep(): Kept
  /** A model that has learned nothing. */
  fresh(): Kept
  /** Values for every weight of a method's own making; `weightsOf` gives them to expressions. */
  hold(values: Weights): Kept
  /** A global mask with exactly int(density * N) ones over all N weights. `saliency` keeps the entries with the largest |sum over
   *  batches of the gradient of the term|, `inverted` the smallest; `random` draws uniformly. Its time is counted as `mask`. */
  mask(options: { kind: MaskChoice; density: number; of: Term<T>; clipNorm?: number | undefined }): Promise<Mask>
  /** All entries of the parameters that are chosen, and no others. */
  select(choose: (parameter: Parameter) => boolean): Mask
  /** Sum over batches, in order and in evaluation mode, of the gradient of the term; each batch's clipped, where asked. */
  gradient(term: Term<T>, options?: { clipNorm?: number | undefined }): Promise<Weights>
  /** Diagonal importance: mean over batches of the squared gradient of the term; with batches of 1 the Fisher information. With
   *  `together`, so many batches in a row are summed before they are squared. */
  importance(term: Term<T>, options?: { together?: number | undefined }): Promise<Weights>
  /** Hands the gradient of each batch, as one flat vector, to `step` in order, and gives what the last one made: second-order
   *  recursions, projections. With batches of 1, gradients of single examples. */
  foldGradients(
    term: Term<T>,
    initial: Float32Array,
    step: (sum: Float32Array, gradient: Float32Array, batch: number) => Float32Array,
  ): Promise<Float32Array>
  /** A value of every example in order, in evaluation mode: logits, features, losses, gradients for inputs. [n, ...] row-major */
  evaluate(on: T['batch'], value: (values: T['values'] & Operations) => Expr): Promise<Float32Array>
  /** Hands such values to `step`, round after round, each time of the batch that `on` makes of the state, until it makes none;
   *  gives the last state. Images that follow gradients: an attack, a noise that is learned. */
  foldValues(
    value: (values: T['values'] & Operations) => Expr,
    initial: Float32Array,
    on: (state: Float32Array, round: number) => T['batch'] | null,
    step: (state: Float32Array, values: Float32Array, round: number) => Float32Array,
  ): Promise<Float32Array>
  /** The weights as numbers. */
  read(): Promise<Weights>
  /** Replaces the weights of the parameters that are given. */
  write(weights: Weights): Promise<void>
  /** Puts back the weights of a kept model. What optimizers hold stays as it is. */
  restore(kept: Kept): Promise<void>
  /** Gives the chosen parameters fresh values. */
  reinitialise(choose: (parameter: Parameter) => boolean): Promise<void>
}

/** A stream of random numbers for one purpose of one seed. */
export interface RandomStream {
  /** Uniform integer in [0, bound). */
  integer(bound: number): number
  /** A new array with the same entries in uniformly random order. */
  shuffle(items: Int32Array): Int32Array
  /** Uniform in [0, 1). */
  uniform(): number
  /** Standard normal. */
  normal(): number
}

export interface Context<T extends TaskTypes, Params> {
  params: Params
  trainer: Trainer<T>
  /** What this task's trainer can do beside. */
  verbs: T['verbs']
  /** D_f and D_r as indices into the training set, in dataset order. */
  forget: Int32Array
  retain: Int32Array
  /** The classes that are forgotten whole, by label; none where examples of any class are. */
  forgotten: readonly number[]
  /** True class of each training example, and how many classes there are. */
  labels: ArrayLike<number>
  classes: number
  random: RandomStream
}

/** What a method may ask of a benchmark before it is run on it. */
export type Setting = Pick<Benchmark, 'request' | 'training'>

/** What a method does for one task. */
export interface Unlearning<T extends TaskTypes = TaskTypes, Params = Record<string, unknown>> {
  params: z.ZodType<Params>
  /** The kinds of request that it can answer; all that its task knows, where it says nothing. */
  requests?: readonly Benchmark['request']['kind'][]
  /** Where its parameters are looked for when it is tuned, in the words of search.ts, such as `1e-3..1e-1`; the others stay as a
   *  benchmark has them. */
  search?: { readonly [Name in keyof Params]?: string }
  /** What of a benchmark these parameters can't do with; null where there is nothing. Said before anything is computed. */
  fault?(params: Params, setting: Setting): string | null
  run(context: Context<T, Params>): Promise<void>
}

export interface MethodDefinition {
  title: string
  /** One sentence that says what it does. */
  summary: string
  paper: { title: string; url: string } | null
  /** Raised when the same parameters give other numbers than before. */
  version: number
  /** Set by methods that are themselves a training, for any task: `original` on all of D, `retrain` on D_r. */
  trainsOn?: 'all' | 'retain'
  /** Begins the names of a training's draws, so that they are others than those of every other training of the seed; the split stays
   *  that of the seed. Set by a second retrain. */
  draws?: string
  /** SHA-256 of its file, of a method that is one by itself and runs in a sandbox. */
  source?: string
  /** Colour and shape in charts, 0 to 35; left out, they follow from the name. */
  mark?: number
  /** Shown where pages need a method to give an example with. */
  example?: true
  /** By task id; made by the task's own function, such as `onClassification`. */
  on: { readonly [task: string]: Unlearning }
}

export const defineMethod = (definition: MethodDefinition): MethodDefinition => definition

/** Why a method can't answer this kind of request; null where it can. */
export const requestRefusal = (
  id: string,
  { requests }: Pick<Unlearning, 'requests'>,
  request: Pick<Benchmark['request'], 'kind'>,
): string | null =>
  !requests || requests.includes(request.kind)
    ? null
    : `"${id}" forgets ${requests.map((kind) => `a ${kind}`).join(' or ')} only; the request is ${request.kind}`

/** A task's own function to say what a method does for it. */
export const unlearningOf =
  <T extends TaskTypes>() =>
  <Params>(definition: Unlearning<T, Params>): Unlearning =>
    definition as unknown as Unlearning

const none: z.ZodType<Record<string, unknown>> = z.strictObject({})

/** The parameters that a method takes for a task; null where it has nothing to offer. */
export const paramsFor = (
  { trainsOn, on }: Pick<MethodDefinition, 'trainsOn' | 'on'>,
  task: string,
): z.ZodType<Record<string, unknown>> | null => (trainsOn ? none : (on[task]?.params ?? null))
