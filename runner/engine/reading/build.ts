/** Adds the nodes of a model to a graph: where it answers, and where only shapes are asked for. */
import { addInput, newGraph, type Value } from '../onnx/graph.ts'
import { type Ops, opsFor } from '../onnx/ops.ts'
import type { Shape, Tensor } from '../onnx/tensor.ts'
import { addNode, type Building, newBuilding } from './add-node.ts'
import type { FileModel, FileNode } from './file-model.ts'
import { refusal, shown } from './refusal.ts'

/** Adds all nodes; `known` are tensors that the graph has, by their names in the file. */
export function addNodes(
  ops: Ops,
  { nodes, constants }: Pick<FileModel, 'nodes' | 'constants'>,
  known: Map<string, Value>,
  batchNorm?: Building['batchNorm'],
): Building {
  const building = newBuilding(ops, { constants, known, batchNorm })
  for (const node of nodes) addNamed(ops, node, building)
  return building
}

/** Adds a node; what goes wrong is said with its name. */
export function addNamed(ops: Ops, node: FileNode, building: Building): void {
  try {
    addNode(ops, node, building)
  } catch (error) {
    const hint = node.op === 'Reshape' ? '; was it exported with a dynamic batch axis?' : ''
    throw unusable(node, `${refusal(error).message}${hint}`)
  }
}

export const unusable = ({ op, name }: FileNode, because: string): Error =>
  refusal(new Error(`cannot use ${shown(op)} (node ${shown(name)}): ${because}`))

/** Shapes come of few numbers; longer tensors of floats are weights, whose arithmetic nobody needs here. */
const LONGEST_FLOATS = 64

/** A graph that is built for its shapes alone and then forgotten, for a batch of this size. */
export function sketch({ inputs, constants }: FileModel, batch: number): { ops: Ops; building: Building } {
  const graph = newGraph()
  const ops = opsFor(graph)
  const known = new Map(
    inputs.map(({ name, type, shape }) => {
      const extents = shape.map((extent, axis) => (axis === 0 ? batch : extent))
      const open = extents.indexOf(null)
      if (open >= 0) throw new Error(openAxis(name, open))
      return [name, addInput(graph, name, type, extents as number[])]
    }),
  )
  for (const [name, { type, shape, data }] of constants)
    if (type === 'float32' && data.length > LONGEST_FLOATS && !known.has(name))
      known.set(name, addInput(graph, name, type, shape))
  return { ops, building: newBuilding(ops, { constants, known }) }
}

export const openAxis = (input: string, axis: number): string =>
  `axis ${axis} of input ${shown(input)} is dynamic; fix every axis but the batch on export, or give the shape of an example: --shape 3x224x224`

/** The batch that shapes are asked for: the one that the file fixes, or any. */
export const batchOf = ({ inputs }: FileModel): number => inputs[0]?.shape[0] ?? 2

/** Type and shape of a tensor, whether a node of the graph or shape arithmetic made it. */
export const madeBy = ({ known, content }: Building, name: string): Pick<Tensor, 'type' | 'shape'> | undefined =>
  content.get(name) ?? known.get(name)

/** Shape of a tensor in a model that is built for a batch. */
export function shapeIn(
  model: FileModel,
  name: string,
  batch = batchOf(model),
): Pick<Tensor, 'type' | 'shape'> & { shape: Shape } {
  const { ops, building } = sketch(model, batch)
  for (const node of model.nodes) addNamed(ops, node, building)
  const made = madeBy(building, name)
  if (!made) throw new Error(`the model has no tensor ${shown(name)}`)
  return made
}
