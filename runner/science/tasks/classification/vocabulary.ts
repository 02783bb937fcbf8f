/** What a method can say about a classifier: its batches, what a loss may look at, and the losses that several methods share. */
import { z } from 'zod'
import type { Expr } from '../../expression.ts'
import { type Kept, type Term, unlearningOf } from '../../method.ts'

export interface Images {
  /** [n, c, h, w] as bytes. */
  images: Uint8Array
  labels: ArrayLike<number>
}

/** Batches of training images, or of images of a method's own. */
export interface ClassifierBatch {
  /** Positions in the training set, or in `from`. */
  items: Int32Array
  batchSize: number
  /** Class to fit for each item, in their order; the true class where absent. */
  labels?: ArrayLike<number> | undefined
  from?: Images | undefined
  /** Images of the method's own, 0 being black and 1 white, that follow the others: the first has the position after the last of them. They are
   *  never augmented. */
  beside?: { images: Float32Array; labels: ArrayLike<number> } | undefined
  /** How many numbers of `uniform` are drawn with each image. */
  uniforms?: number | undefined
  /** A number that comes with each item, in their order. */
  factors?: ArrayLike<number> | undefined
}

export interface Answering {
  /** Whose answer; the model's own where absent. */
  of?: Kept | undefined
  /** To these images in place of the batch's. [n, c, h, w] in [0, 1] */
  images?: Expr | undefined
  /** As in evaluation: batch norm by its running statistics, which then stay as they are. Kept models always answer so. */
  evaluation?: boolean | undefined
}

export interface ClassifierValues {
  /** [n, c, h, w] in [0, 1], augmented where the benchmark says so. */
  readonly images: Expr
  /** [n] */
  readonly labels: Expr
  /** In (0, 1), drawn anew for each image of each step, as many as the batch asks for. [n, uniforms] */
  readonly uniform: Expr
  /** The number that comes with each image, of a batch that has `factors`. [n] */
  readonly factor: Expr
  /** Of the model on the batch, [n, classes]. */
  readonly logits: Expr
  logitsOf(options: Answering): Expr
  /** What the last linear layer sees, [n, features]. */
  featuresOf(options: Answering): Expr
}

export interface ClassifierVerbs {
  /** [c, h, w] */
  readonly imageShape: readonly number[]
}

export interface ClassifierTypes {
  batch: ClassifierBatch
  values: ClassifierValues
  verbs: ClassifierVerbs
}
export type ClassifierTerm = Term<ClassifierTypes>

/** What a method does for image classification. */
export const onClassification = unlearningOf<ClassifierTypes>()

/** Cross-entropy with the labels of the batch, the true ones or those that are given. */
export const fitLabels = (
  items: Int32Array,
  { batchSize, labels }: Pick<ClassifierBatch, 'batchSize' | 'labels'>,
): ClassifierTerm => ({
  on: { items, batchSize, labels },
  loss: ({ logits, labels, crossEntropy }) => crossEntropy(logits, labels),
})

/** Parameters of SGD that every iterative method takes; the defaults are the reference code's. */
export const sgd = z.strictObject({
  epochs: z.int().min(1).max(1000).default(10).describe('Passes over the data the method trains on.'),
  learningRate: z.number().positive().max(10).default(0.01).describe('Learning rate of SGD.'),
  batchSize: z.int().min(1).max(4096).default(256).describe('Images in a batch.'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('Momentum of SGD.'),
  weightDecay: z.number().min(0).max(1).default(5e-4).describe('Weight decay of SGD, added to the gradient.'),
})

/** Parameters of Adam for methods that go over data in passes. */
export const adamPasses = sgd
  .pick({ epochs: true, learningRate: true, batchSize: true })
  .extend({ learningRate: sgd.shape.learningRate.default(1e-3).describe('Learning rate of Adam.') })
