/** Which tensors hold the same along an axis, so that a batch of another size can take one entry for all. */

import { normalAxis } from '../onnx/geometry.ts'
import { listOf } from '../onnx/graph.ts'
import { numbersOf, type Shape, sizeOf, type Tensor } from '../onnx/tensor.ts'
import type { FileNode } from './file-model.ts'

export interface Known {
  producers: ReadonlyMap<string, FileNode>
  shapeOf(name: string): Shape
  constantOf(name: string): Tensor | undefined
}

const ENTRYWISE = new Set([
  ...[
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Pow',
    'Max',
    'Min',
    'Where',
    'Cast',
    'CastLike',
    'Identity',
    'Dropout',
    'Neg',
    'Abs',
  ],
  ...['Exp', 'Log', 'Sqrt', 'Sigmoid', 'Tanh', 'Relu', 'Equal', 'Less', 'Greater', 'Not', 'And', 'Or'],
])

/** Whether all entries of a tensor along an axis are equal, whatever its weights are. */
export function isEven(known: Known, name: string, axis: number): boolean {
  const shape = known.shapeOf(name)
  if (axis < 0 || (shape[axis] ?? 1) === 1) return true
  const constant = known.constantOf(name)
  if (constant) return isEvenTensor(constant, axis)
  const node = known.producers.get(name)
  if (!node) return false
  /** Of an input whose axes are aligned from the right. */
  const ofInput = (input: string) => isEven(known, input, axis - shape.length + known.shapeOf(input).length)
  const [first = ''] = node.inputs
  switch (node.op) {
    case 'Expand':
      return ofInput(first)
    case 'ConstantOfShape':
      return true
    case 'Tile':
      return isEven(known, first, axis)
    case 'Transpose': {
      const perm = listOf(node, 'perm', [...shape.keys()].reverse())
      return isEven(known, first, perm[axis] ?? 0)
    }
    case 'Concat':
      return (
        normalAxis(node.attributes.axis?.value as number, shape.length) !== axis &&
        node.inputs.every((input) => isEven(known, input, axis))
      )
    case 'Unsqueeze': {
      const axes = numbersOf(
        known.constantOf(node.inputs[1] ?? '') ?? { type: 'int64', shape: [0], data: new BigInt64Array() },
      )
      const put = axes.map((own) => normalAxis(own, shape.length))
      return isEven(known, first, axis - put.filter((own) => own < axis).length)
    }
    default:
      return ENTRYWISE.has(node.op) && node.inputs.every((input) => !input || ofInput(input))
  }
}

function isEvenTensor({ shape, data }: Tensor, axis: number): boolean {
  const inner = sizeOf(shape.slice(axis + 1))
  const whole = inner * (shape[axis] ?? 1)
  return data.every((entry, i) => entry === data[i - (i % whole) + (i % inner)])
}

/** The first entry of a constant along an axis. */
export function firstAlong({ type, shape, data }: Tensor, axis: number): Tensor {
  const inner = sizeOf(shape.slice(axis + 1))
  const whole = inner * (shape[axis] ?? 1)
  return {
    type,
    shape: shape.map((extent, own) => (own === axis ? 1 : extent)),
    data: data.filter((_: number | bigint, i: number) => i % whole < inner) as Tensor['data'],
  }
}
