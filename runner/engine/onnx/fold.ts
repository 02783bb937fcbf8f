/** Shape arithmetic of exported models: ops whose inputs are known while a graph is being built are computed on the spot. */

import { elementTypeOf } from './element-types.ts'
import { broadcastShapes, normalAxis } from './geometry.ts'
import { listOf, type Node, numberOf } from './graph.ts'
import { arrays, type ElementType, numbersOf, type Shape, sizeOf, type Tensor, tensor } from './tensor.ts'

/** Larger tensors are content, not shapes; they stay in the graph. */
const LARGEST = 4096
const INT64_MAX = 2n ** 63n - 1n

function tensorOf(type: ElementType, shape: Shape, numbers: readonly number[]): Tensor {
  if (type !== 'int64') return tensor(type, shape, arrays[type].from(numbers))
  // An "until the end" of 2^63 - 1 rounds up to 2^63 on its way through a number.
  const bound = (value: bigint) => (value > INT64_MAX ? INT64_MAX : value)
  return tensor(
    type,
    shape,
    BigInt64Array.from(numbers, (value) => bound(BigInt(value))),
  )
}

const truncated = (value: number, type: ElementType) => (type.startsWith('float') ? value : Math.trunc(value))

type Fold = (inputs: Tensor[], node: Node) => Tensor

/** Element by element, with numpy's broadcasting. */
const elementwise =
  (compute: (...numbers: number[]) => number, resultType?: ElementType): Fold =>
  (inputs) => {
    const shape = broadcastShapes(...inputs.map((input) => input.shape))
    if (sizeOf(shape) > LARGEST) throw new Error('too large')
    const type = resultType ?? inputs.at(-1)!.type
    const columns = inputs.map((input) => ({ numbers: numbersOf(input), shape: input.shape }))
    const at = (flat: number, own: Shape) => {
      let offset = 0
      let stride = 1
      let rest = flat
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const extent = own[axis - shape.length + own.length] ?? 1
        offset += extent === 1 ? 0 : (rest % shape[axis]!) * stride
        stride *= extent
        rest = Math.floor(rest / shape[axis]!)
      }
      return offset
    }
    const results = Array.from({ length: sizeOf(shape) }, (_, i) =>
      truncated(compute(...columns.map((column) => column.numbers[at(i, column.shape)]!)), type),
    )
    return tensorOf(type, shape, results)
  }
const comparison = (compute: (a: number, b: number) => boolean) => elementwise((a, b) => Number(compute(a, b)), 'bool')
const like = ({ type }: Tensor, shape: Shape, numbers: readonly number[]) => tensorOf(type, shape, numbers)
const axesOf = (inputs: Tensor[], node: Node) => (inputs[1] ? numbersOf(inputs[1]) : [...listOf(node, 'axes', [])])

const folds: Record<string, Fold> = {
  Cast: ([x], node) => {
    const type = elementTypeOf(numberOf(node, 'to', 1))
    const convert = (value: number) => (type === 'bool' ? Number(value !== 0) : truncated(value, type))
    return tensorOf(type, x!.shape, numbersOf(x!).map(convert))
  },
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
  Pow: (inputs, node) => elementwise((a, b) => a ** b, inputs[0]!.type)(inputs, node),
  Mod: elementwise((a, b) => ((a % b) + b) % b),
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Neg: elementwise((a) => -a),
  Abs: elementwise(Math.abs),
  Floor: elementwise(Math.floor),
  Ceil: elementwise(Math.ceil),
  Sqrt: elementwise(Math.sqrt),
  Reciprocal: elementwise((a) => 1 / a),
  Not: elementwise((a) => Number(!a)),
  And: elementwise((a, b) => Number(a && b)),
  Or: elementwise((a, b) => Number(a || b)),
  Equal: comparison((a, b) => a === b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Where: elementwise((condition, a, b) => (condition ? a : b)),
  ReduceProd: ([x], node) => {
    const product = numbersOf(x!).reduce((a, b) => a * b, 1)
    return like(x!, numberOf(node, 'keepdims', 1) ? x!.shape.map(() => 1) : [], [product])
  },
  Gather: ([x, indices], node) => {
    if (normalAxis(numberOf(node, 'axis', 0), x!.shape.length) !== 0) throw new Error('Gather along a later axis')
    const rest = x!.shape.slice(1)
    const numbers = numbersOf(x!)
    const rows = numbersOf(indices!).map((index) => normalAxis(index, x!.shape[0]!) * sizeOf(rest))
    return like(
      x!,
      [...indices!.shape, ...rest],
      rows.flatMap((row) => numbers.slice(row, row + sizeOf(rest))),
    )
  },
  Slice: ([x, starts, ends, axes, steps]) => {
    if (x!.shape.length !== 1 || (axes && normalAxis(numbersOf(axes)[0]!, 1) !== 0))
      throw new Error('Slice of a matrix')
    if (steps && numbersOf(steps)[0] !== 1) throw new Error('Slice with steps')
    const numbers = numbersOf(x!).slice(numbersOf(starts!)[0]!, numbersOf(ends!)[0]!)
    return like(x!, [numbers.length], numbers)
  },
  Concat: (inputs) => {
    if (inputs.some(({ shape }) => shape.length !== 1)) throw new Error('Concat of matrices')
    const numbers = inputs.flatMap(numbersOf)
    return like(inputs[0]!, [numbers.length], numbers)
  },
  Squeeze: (inputs, node) => {
    const { shape } = inputs[0]!
    const axes = axesOf(inputs, node).map((axis) => normalAxis(axis, shape.length))
    const kept = shape.filter((extent, axis) => (axes.length > 0 ? !axes.includes(axis) : extent !== 1))
    return { ...inputs[0]!, shape: kept }
  },
  Unsqueeze: (inputs, node) => {
    const given = axesOf(inputs, node)
    const rest = [...inputs[0]!.shape]
    const rank = rest.length + given.length
    const axes = given.map((axis) => normalAxis(axis, rank))
    return {
      ...inputs[0]!,
      shape: Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)),
    }
  },
  Reshape: ([x, target]) => {
    const given = numbersOf(target!).map((extent, axis) => (extent === 0 ? x!.shape[axis]! : extent))
    const known = given.reduce((size, extent) => (extent === -1 ? size : size * extent), 1)
    return { ...x!, shape: given.map((extent) => (extent === -1 ? sizeOf(x!.shape) / known : extent)) }
  },
  Expand: ([x, target]) => {
    const shape = numbersOf(target!)
    const ones = tensorOf(x!.type, shape, Array(Math.min(sizeOf(shape), LARGEST)).fill(1))
    return elementwise((a) => a)([x!, ones], {} as Node)
  },
  ConstantOfShape: ([shape], node) => {
    const { value } = node.attributes
    const filler = value?.kind === 'tensor' ? value.value : tensorOf('float32', [1], [0])
    const extents = numbersOf(shape!)
    return like(filler, extents, Array(Math.min(sizeOf(extents), LARGEST)).fill(numbersOf(filler)[0]))
  },
  Range: ([start, limit, delta]) => {
    const [from, to, by] = [start!, limit!, delta!].map((input) => numbersOf(input)[0]!) as [number, number, number]
    const count = Math.max(0, Math.ceil((to - from) / by))
    return like(
      start!,
      [count],
      Array.from({ length: count }, (_, i) => from + i * by),
    )
  },
}

/** The result of a node whose inputs are all known; undefined where it's not shape arithmetic and stays in the graph. */
export function fold(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor | undefined {
  const compute = folds[node.op]
  if (!compute || inputs.some((input, i) => node.inputs[i] && (!input || input.data.length > LARGEST))) return undefined
  try {
    const result = compute(inputs as Tensor[], node)
    return result.data.length > LARGEST ? undefined : result
  } catch {
    return undefined
  }
}
