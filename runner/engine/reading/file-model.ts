/** A model as its file has it: nodes in order, with tensors by name. Each pass of reading makes it plainer. */
import type { Attribute } from '../onnx/graph.ts'
import type { ElementType, Tensor } from '../onnx/tensor.ts'

/** A node of the file; an empty name is an absent input or output. */
export interface FileNode {
  op: string
  /** Empty or absent for standard ops; else a function of the file, until it is written out, or nothing that can be used. */
  domain?: string
  name: string
  inputs: string[]
  outputs: string[]
  attributes: Record<string, Attribute>
  /** The opset that the node was written for; absent where it is the one that graphs are built for. */
  opset?: number
  /** The branches of an If and the body of a Loop, until they are written out. */
  graphs?: Record<string, FileGraph>
  /** In a function: attributes that a call gives, by their names there. */
  references?: Record<string, string>
  /** Why the node can't be used, in a sentence; it matters only where something needs its outputs. */
  unusable?: string
}

/** A graph that a node holds. It sees the tensors around it by their names. */
export interface FileGraph {
  inputs: string[]
  outputs: string[]
  constants: Map<string, Tensor>
  nodes: FileNode[]
}

/** A function of the file: nodes that a call stands for. */
export interface FileFunction {
  inputs: string[]
  outputs: string[]
  /** Attributes that a call may leave out. */
  defaults: Record<string, Attribute>
  nodes: FileNode[]
}

/** An input of the graph that isn't a weight; extents are null where the file leaves them open. */
export interface FileInput {
  name: string
  type: ElementType
  shape: (number | null)[]
}

export interface FileModel {
  inputs: FileInput[]
  outputs: string[]
  /** Tensors that the file has: weights are among them, whether it calls them initializers or makes them by Constant nodes. */
  constants: Map<string, Tensor>
  /** Names of single numbers among them that Constant nodes made: numbers in code, not tensors of a module. */
  literals?: ReadonlySet<string>
  nodes: FileNode[]
  /** By domain and name, until calls are written out. */
  functions?: Map<string, FileFunction>
}

export interface ReadOptions {
  /** Which output holds the logits, where the file has several; any tensor that it computes. */
  output?: string
  /** Shape of one example, where the file leaves it open. */
  shape?: readonly number[]
  /** Whose statistics batch norm takes in training; by default the batch's, unless the exporter merged a part of the batch norms
   *  into convolutions. */
  batchNorm?: 'batch' | 'running'
  /** Tensors that train, though they would not by themselves. */
  train?: readonly string[]
  /** Tensors that stay as they are, though they would train by themselves. */
  freeze?: readonly string[]
  /** The bytes of a file beside the model, by the location that the model names. */
  external?(location: string): Uint8Array
}

export interface PassContext {
  options: ReadOptions
  /** Notes what was decided, in a sentence that a user reads. */
  decide(sentence: string): void
}

/** One step of reading; gives a model that says the same in a plainer way. Throws, in a sentence, for what can't be used. */
export type Pass = (model: FileModel, context: PassContext) => FileModel
