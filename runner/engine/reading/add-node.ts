/** A node of a file, added to a graph: folded where it is shape arithmetic, with batch norm as the caller wants it. */
import { fold } from '../folding/fold.ts'
import { at } from '../onnx/arity.ts'
import { type Node, numberOf, type Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Tensor } from '../onnx/tensor.ts'
import { addOp } from './add-op.ts'
import type { FileNode } from './file-model.ts'

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
  opset: number
  /** Tensors of the graph, by their names in the file. */
  known: Map<string, Value>
  /** Constants that no node of the graph has needed yet, and those that shape arithmetic found. */
  content: Map<string, Tensor>
  tensorNamed(name: string): Value | null
  batchNorm: ((ops: Ops, node: BatchNormNode) => Value) | undefined
}

export function addNode(ops: Ops, { op, inputs, outputs, attributes }: FileNode, building: Building): void {
  const { opset, known, content, tensorNamed, batchNorm } = building
  const sketch: Node = {
    op,
    domain: '',
    inputs: inputs.map((name) => (name ? ({ name } as Value) : null)),
    outputs: [],
    attributes,
  }
  const [[input = ''], [output = '']] = [inputs, outputs]
  if (op === 'Identity' || op === 'Dropout') {
    const constant = content.get(input)
    if (constant) content.set(output, constant)
    else known.set(output, tensorNamed(input) ?? missing(input))
    return
  }
  const results = fold(
    sketch,
    inputs.map((name) => content.get(name) ?? known.get(name)),
  )
  if (results) {
    outputs.forEach((name, i) => {
      if (name && results[i]) content.set(name, results[i])
    })
    return
  }
  const values = inputs.map(tensorNamed)
  if (op === 'BatchNormalization' && batchNorm) {
    const [x, scale, bias, mean, variance] = values as [Value, Value, Value, Value, Value]
    const buffers: [string, string] = [at(inputs, 3), at(inputs, 4)]
    const epsilon = numberOf(sketch, 'epsilon', 1e-5)
    const momentum = numberOf(sketch, 'momentum', 0.9)
    known.set(output, batchNorm(ops, { x, scale, bias, mean, variance, buffers, epsilon, momentum }))
    return
  }
  if (op === 'GroupNormalization' && opset < 21) {
    // [groups] -> [channels]: until opset 21, a group's channels shared scale and bias.
    const [x, ...ofGroups] = values as [Value, Value, Value]
    const channels = at(x.shape, 1)
    const perChannel = ofGroups.map((value) => {
      const groups = at(value.shape, 0)
      return ops.Reshape(ops.Expand(ops.Reshape(value, [groups, 1]), [groups, channels / groups]), [channels])
    })
    values.splice(1, 2, ...perChannel)
  }
  addOp(ops, op, values, attributes, outputs).forEach((value, i) => {
    if (outputs[i] && value) known.set(outputs[i], value)
  })
}

export function missing(name: string): never {
  throw new Error(`the model has no tensor ${name}`)
}
