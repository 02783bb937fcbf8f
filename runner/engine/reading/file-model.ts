/** A model as its file has it: nodes in order, with tensors by name. Each pass of reading makes it plainer. */
import type { Attribute } from '../onnx/graph.ts'
import type { ElementType, Tensor } from '../onnx/tensor.ts'

/** A node of the file; an empty name is an absent input or output. */
export interface FileNode {
  op: string
  name: string
  inputs: string[]
  outputs: string[]
  attributes: Record<string, Attribute>
}

/** An input of the graph that isn't a weight; extents are null where the file leaves them open. */
export interface FileInput {
  name: string
  type: ElementType
  shape: (number | null)[]
}

export interface FileModel {
  opset: number
  inputs: FileInput[]
  outputs: string[]
  /** Initializers and the content of Constant nodes. */
  constants: Map<string, Tensor>
  /** Names of the initializers among them. */
  weights: Set<string>
  nodes: FileNode[]
}

export interface ReadOptions {
  /** Which output holds the logits, where the file has several. */
  output?: string
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
