/** The contract between one trainer and the tasks: what the engine must know of a model to train it by expressions. */
import type { ExprNode, Push, Recording } from '../../science/expression.ts'
import type { Kept, TaskTypes } from '../../science/method.ts'
import type { Stream } from '../nn/random.ts'
import type { Variable } from '../nn/variables.ts'
import type { Graph, Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Tensor } from '../onnx/tensor.ts'

/** Values of a network's variables, by name. */
export type NetValues = ReadonlyMap<string, Value>

/** Who answers in a loss: the model in training, or a network whose weights stand still. */
export interface Net {
  values: NetValues
  /** Uses the statistics of the batch, and drops. */
  training: boolean
  /** Takes the next values of buffers. */
  update(updates: ReadonlyMap<string, Value>): void
}

/** Builds the values of a term that its task knows: `args` are values of the node's arguments. Null for an op it doesn't know. */
export type Resolve = (node: ExprNode, args: readonly Value[], net: Net | null) => Value | null

/** A term's batches, ready for feeding. */
export interface Drawn {
  /** Feeds that stay the same over the run. */
  feeds: Record<string, Tensor>
  /** Feeds of the steps from `first` on, by the positions that each draws; `weightsOf` gives the parameters before them, or those
   *  of a kept model. */
  stepFeeds(steps: StepRange, weightsOf: (kept?: Kept) => ReadonlyMap<string, Tensor>): Promise<Record<string, Tensor>>
  /** Steps that may share one call, where feeds follow from the moving weights. */
  atMost?: number | undefined
}

export interface StepRange {
  first: number
  steps: number
  batch: number
  /** [steps * batch], each below the population. */
  positions: Int32Array
}

/** What batches are for: steps of a training, sums of gradients, or values of the examples, which are then as they are. */
export type Use = 'training' | 'gradient' | 'values'

/** What a run of steps draws from. */
export interface Drawing {
  /** Position of the term among the terms; its inputs are named `<what>.<k>`. */
  k: number
  use: Use
  /** A stream of its own for a step. */
  streamOf(step: number): Stream
  /** A stream that goes on from run to run, by purpose. */
  running(purpose: string): Stream
  /** A name of its own for draws of a term that need further streams. */
  name: string
}

export interface Objective<T extends TaskTypes = TaskTypes> {
  parameters: readonly Variable[]
  buffers: readonly Variable[]
  /** Makes the task's values while a loss is recorded. */
  values(push: Push): T['values']
  /** Examples to draw from; 0 where nothing is drawn by position. */
  population(on: T['batch']): number
  /** How many examples a batch holds. */
  batchSize(on: T['batch']): number
  /** Declares a term's inputs; gives a function that builds its values in the body of the loop. `shape` is all that the graph knows
   *  of the batches. */
  declare(graph: Graph, k: number, term: TermShape): (ops: Ops, iteration: Value) => Resolve
  /** What the graph depends on, beside the loss: as JSON, equal for equal graphs. */
  shapeOf(on: T['batch'], use: Use): Record<string, unknown>
  draw(on: T['batch'], drawing: Drawing): Drawn
}

export interface TermShape {
  batch: number
  on: Record<string, unknown>
  loss: Recording
}
