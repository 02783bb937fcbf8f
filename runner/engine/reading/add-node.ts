/** A node of a file, added to a graph: folded where it is shape arithmetic, with batch norm as the caller wants it. */
import { type Budget, fold, newBudget } from '../folding/fold.ts'
import { at } from '../onnx/arity.ts'
import { elementTypeOf } from '../onnx/element-types.ts'
import { type Node, numberOf, type Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { sizeOf, type Tensor } from '../onnx/tensor.ts'
import { addOp } from './add-op.ts'
import { olderForm } from './by-shape.ts'
import { whyUnusable } from './check.ts'
import type { FileNode } from './file-model.ts'
import { inSinglePrecision, singlePrecision } from './precision.ts'

/** Entries of a tensor that no machine here holds; a file can ask for more in a few bytes. */
const LARGEST = 2 ** 33

/** Tensors of a batch normalization that training with batch statistics needs by name. */
export interface BatchNormNode {
  x: Value
  scale: Value
  bias: Value
  mean: Value
  variance: Value
  /** Names of the buffers that hold mean and variance. */
  buffers: [mean: string, variance: string]
  epsilon: number
  /** Share that running statistics keep of themselves, as ONNX defines it. */
  momentum: number
}

export interface Building {
  /** Tensors of the graph, by their names in the file. */
  known: Map<string, Value>
  /** Constants that no node of the graph has needed yet, and those that shape arithmetic found. */
  content: Map<string, Tensor>
  /** A tensor of the graph; null for an absent one. Constants are added to the graph when they are first asked for. */
  tensorNamed(name: string): Value | null
  /** What shape arithmetic may still compute. */
  budget: Budget
  batchNorm?: ((ops: Ops, node: BatchNormNode) => Value) | undefined
}

/** A graph to add nodes to: `known` are its inputs, by their names in the file, where they stand for constants of the same name. */
export function newBuilding(
  ops: Ops,
  {
    constants,
    known,
    batchNorm,
  }: { constants: ReadonlyMap<string, Tensor>; known: Map<string, Value> } & Pick<Building, 'batchNorm'>,
): Building {
  const content = new Map(constants)
  for (const name of known.keys()) content.delete(name)
  const tensorNamed = (name: string): Value | null => {
    if (!name) return null
    const value = known.get(name) ?? ops.constant(singlePrecision(content.get(name) ?? missing(name)), name)
    known.set(name, value)
    return value
  }
  return { known, content, tensorNamed, budget: newBudget(), batchNorm }
}

export function addNode(ops: Ops, file: FileNode, building: Building): void {
  const { op, inputs, outputs } = file
  const why = whyUnusable(file)
  if (why !== undefined) throw new Error(why)
  const { known, content, tensorNamed, batchNorm } = building
  const sketch: Node = {
    op,
    domain: '',
    inputs: inputs.map((name) => (name ? ({ name } as Value) : null)),
    outputs: [],
    attributes: file.attributes,
  }
  const [[input = ''], [output = '']] = [inputs, outputs]
  if (op === 'Identity') {
    const constant = content.get(input)
    if (constant) content.set(output, constant)
    else known.set(output, tensorNamed(input) ?? missing(input))
    return
  }
  const results = fold(
    sketch,
    inputs.map((name) => content.get(name) ?? known.get(name)),
    building.budget,
  )
  if (results) {
    outputs.forEach((name, i) => {
      if (name && results[i]) content.set(name, results[i])
    })
    return
  }
  const values = inputs.map(tensorNamed)
  if (keepsType(file, values)) {
    known.set(output, values[0] ?? missing(input))
    return
  }
  if (op === 'BatchNormalization' && batchNorm) {
    const [x, scale, bias, mean, variance] = values as [Value, Value, Value, Value, Value]
    const buffers: [string, string] = [at(inputs, 3), at(inputs, 4)]
    const epsilon = numberOf(sketch, 'epsilon', 1e-5)
    const momentum = numberOf(sketch, 'momentum', 0.9)
    known.set(output, batchNorm(ops, { x, scale, bias, mean, variance, buffers, epsilon, momentum }))
    return
  }
  const older = olderForm(file)?.(ops, file, values)
  const attributes = inSinglePrecision(older?.attributes ?? file.attributes)
  addOp(ops, op, older?.inputs ?? values, attributes, outputs).forEach((value, i) => {
    if (!value) return
    if (!value.shape.every((extent) => Number.isInteger(extent) && extent >= 0) || sizeOf(value.shape) > LARGEST)
      throw new Error(`it would give a tensor of the shape [${value.shape}]`)
    if (outputs[i]) known.set(outputs[i], older?.after?.(value) ?? value)
  })
}

/** Casts to the type that a value has: all floats of a file are float32 in a graph. */
function keepsType({ op, attributes: { to } }: FileNode, [x]: readonly (Value | null)[]): boolean {
  if (op !== 'Cast' || to?.kind !== 'int' || !x) return false
  const type = elementTypeOf(to.value)
  return x.type === (type === 'float64' ? 'float32' : type)
}

export function missing(name: string): never {
  throw new Error(`the model has no tensor ${name}`)
}
