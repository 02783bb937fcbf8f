/** Shape arithmetic of exported models: ops whose inputs are known while a graph is being built are computed on the spot. */

import { type AtLeast, at, withInputs } from './arity.ts'
import { elementTypeOf } from './element-types.ts'
import { broadcastShapes, normalAxis, squeezed, unsqueezed } from './geometry.ts'
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

interface FoldContext {
  node: Node
  x: AtLeast<1, Tensor>
}
type Fold = (context: FoldContext) => Tensor

/** Element by element, with numpy's broadcasting. */
const elementwise =
  (compute: (...numbers: number[]) => number, resultType?: ElementType): Fold =>
  ({ x }) => {
    const shape = broadcastShapes(...x.map((input) => input.shape))
    if (sizeOf(shape) > LARGEST) throw new Error('too large')
    const type = resultType ?? at(x, -1).type
    const columns = x.map((input) => ({ numbers: numbersOf(input), shape: input.shape }))
    const indexIn = (own: Shape, flat: number) => {
      let offset = 0
      let stride = 1
      let rest = flat
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const extent = own[axis - shape.length + own.length] ?? 1
        offset += extent === 1 ? 0 : (rest % at(shape, axis)) * stride
        stride *= extent
        rest = Math.floor(rest / at(shape, axis))
      }
      return offset
    }
    const results = Array.from({ length: sizeOf(shape) }, (_, i) =>
      truncated(compute(...columns.map(({ numbers, shape }) => at(numbers, indexIn(shape, i)))), type),
    )
    return tensorOf(type, shape, results)
  }
const comparison = (compute: (a: number, b: number) => boolean) => elementwise((a, b) => Number(compute(a, b)), 'bool')
const like = ({ type }: Tensor, shape: Shape, numbers: readonly number[]) => tensorOf(type, shape, numbers)
const firstOf = (input: Tensor) => at(numbersOf(input), 0)
const axesOf = ({ node, x: [, axes] }: FoldContext) => (axes ? numbersOf(axes) : listOf(node, 'axes', []))

const folds: Record<string, Fold> = {
  Cast: ({ node, x: [x] }) => {
    const type = elementTypeOf(numberOf(node, 'to', 1))
    const convert = (value: number) => (type === 'bool' ? Number(value !== 0) : truncated(value, type))
    return tensorOf(type, x.shape, numbersOf(x).map(convert))
  },
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
  Pow: (context) => elementwise((a, b) => a ** b, context.x[0].type)(context),
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
  ReduceProd: ({ node, x: [x] }) => {
    const product = numbersOf(x).reduce((a, b) => a * b, 1)
    return like(x, numberOf(node, 'keepdims', 1) ? x.shape.map(() => 1) : [], [product])
  },
  Gather: withInputs(2, ({ node, x: [x, indices] }) => {
    if (normalAxis(numberOf(node, 'axis', 0), x.shape.length) !== 0) throw new Error('Gather along a later axis')
    const [extent = 1, ...rest] = x.shape
    const numbers = numbersOf(x)
    const rows = numbersOf(indices).map((index) => normalAxis(index, extent) * sizeOf(rest))
    return like(
      x,
      [...indices.shape, ...rest],
      rows.flatMap((row) => numbers.slice(row, row + sizeOf(rest))),
    )
  }),
  Slice: withInputs(3, ({ x: [x, starts, ends, axes, steps] }) => {
    if (x.shape.length !== 1 || (axes && normalAxis(firstOf(axes), 1) !== 0)) throw new Error('Slice of a matrix')
    if (steps && firstOf(steps) !== 1) throw new Error('Slice with steps')
    const numbers = numbersOf(x).slice(firstOf(starts), firstOf(ends))
    return like(x, [numbers.length], numbers)
  }),
  Concat: ({ x }) => {
    if (x.some(({ shape }) => shape.length !== 1)) throw new Error('Concat of matrices')
    const numbers = x.flatMap(numbersOf)
    return like(x[0], [numbers.length], numbers)
  },
  Squeeze: (context) => ({ ...context.x[0], shape: squeezed(context.x[0].shape, axesOf(context)) }),
  Unsqueeze: (context) => ({ ...context.x[0], shape: unsqueezed(context.x[0].shape, axesOf(context)) }),
  Reshape: withInputs(2, ({ x: [x, target] }) => {
    const given = numbersOf(target).map((extent, axis) => (extent === 0 ? at(x.shape, axis) : extent))
    const known = given.reduce((size, extent) => (extent === -1 ? size : size * extent), 1)
    return { ...x, shape: given.map((extent) => (extent === -1 ? sizeOf(x.shape) / known : extent)) }
  }),
  Expand: withInputs(2, ({ node, x: [x, target] }) => {
    const shape = numbersOf(target)
    const ones = tensorOf(x.type, shape, Array(Math.min(sizeOf(shape), LARGEST)).fill(1))
    return elementwise((a) => a)({ node, x: [x, ones] })
  }),
  ConstantOfShape: ({ node, x: [shape] }) => {
    const { value } = node.attributes
    const filler = value?.kind === 'tensor' ? value.value : tensorOf('float32', [1], [0])
    const extents = numbersOf(shape)
    return like(filler, extents, Array(Math.min(sizeOf(extents), LARGEST)).fill(firstOf(filler)))
  },
  Range: withInputs(3, ({ x: [start, limit, delta] }) => {
    const [from, to, by] = [firstOf(start), firstOf(limit), firstOf(delta)]
    const count = Math.max(0, Math.ceil((to - from) / by))
    return like(
      start,
      [count],
      Array.from({ length: count }, (_, i) => from + i * by),
    )
  }),
}

/** The result of a node whose inputs are all known; undefined where it's not shape arithmetic and stays in the graph. */
export function fold(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor | undefined {
  const compute = folds[node.op]
  if (!compute || inputs.some((input, i) => node.inputs[i] && (!input || input.data.length > LARGEST))) return undefined
  try {
    const result = compute({ node, x: inputs as AtLeast<1, Tensor> })
    return result.data.length > LARGEST ? undefined : result
  } catch {
    return undefined
  }
}
