/** ONNX graphs as data. Every value has a static shape; nodes stand in an order in which they can run. */
import type { ElementType, Shape, Tensor } from './tensor.ts'

export interface Value {
  readonly name: string
  readonly type: ElementType
  readonly shape: Shape
}

export type Attribute =
  | { readonly kind: 'int' | 'float'; readonly value: number }
  | { readonly kind: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }

export interface Node {
  readonly op: string
  /** Empty for standard ops, `palimpsest` for model-local functions, else another domain. */
  readonly domain: string
  /** null where an optional input is absent. */
  readonly inputs: readonly (Value | null)[]
  /** null where an optional output is not wanted. */
  readonly outputs: readonly (Value | null)[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A model-local function: a name in the domain `palimpsest` and a body of standard ops. */
export interface FunctionBody {
  readonly name: string
  readonly graph: Graph
}

export interface Graph {
  inputs: Value[]
  outputs: Value[]
  nodes: Node[]
  /** Constants, by value. */
  initializers: Map<Value, Tensor>
  /** Functions that the nodes of this graph and of its subgraphs call, by name; one map for a whole model. */
  functions: Map<string, FunctionBody>
  /** Gives each value of the model a name of its own; none is that of an input or output, since those have a colon or no #. */
  freshName(hint: string): string
}

/** An empty graph; a subgraph or function body shares the names and functions of its `parent`. */
export function newGraph(parent?: Graph): Graph {
  let count = 0
  return {
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map(),
    functions: parent?.functions ?? new Map(),
    freshName: parent?.freshName ?? ((hint) => `${hint.replaceAll(':', '.')}.#${count++}`),
  }
}

/** Declares an input of the graph under exactly this name. */
export function addInput(graph: Graph, name: string, type: ElementType, shape: Shape): Value {
  const value = { name, type, shape }
  graph.inputs.push(value)
  return value
}

/** Declares a constant; its name only has to be unique. */
export function addConstant(graph: Graph, content: Tensor, hint = 'constant'): Value {
  const value = { name: graph.freshName(hint), type: content.type, shape: content.shape }
  graph.initializers.set(value, content)
  return value
}

/** Declares an output of the graph under exactly this name. */
export function addOutput(graph: Graph, name: string, value: Value): Value {
  const output = { name, type: value.type, shape: value.shape }
  graph.nodes.push({ op: 'Identity', domain: '', inputs: [value], outputs: [output], attributes: {} })
  graph.outputs.push(output)
  return output
}

export const int = (value: number): Attribute => ({ kind: 'int', value })
export const float = (value: number): Attribute => ({ kind: 'float', value })
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value })
export const string = (value: string): Attribute => ({ kind: 'string', value })

type Attributed = Pick<Node, 'attributes'>

/** Reads an attribute as a number, or gives the default. */
export function numberOf(node: Attributed, name: string, fallback: number): number {
  const attribute = node.attributes[name]
  return attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : fallback
}

/** Reads an attribute as a list of numbers, or gives the default. */
export function listOf(node: Attributed, name: string, fallback: readonly number[]): readonly number[] {
  const attribute = node.attributes[name]
  return attribute?.kind === 'ints' || attribute?.kind === 'floats' ? attribute.value : fallback
}

/** Reads an attribute as a string, or gives the default. */
export function stringOf(node: Attributed, name: string, fallback: string): string {
  const attribute = node.attributes[name]
  return attribute?.kind === 'string' ? attribute.value : fallback
}

/** How messages name a node: its op and its first output. */
export const describe = (node: Node): string =>
  `${node.op} (node ${node.outputs.find(Boolean)?.name ?? 'without output'})`
