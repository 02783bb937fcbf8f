/** What becomes of a node so that it takes any batch: literal extents, and tensors as long as the batch that the file fixes. */
import { at } from '../onnx/arity.ts'
import { normalAxis } from '../onnx/geometry.ts'
import { int } from '../onnx/graph.ts'
import { numbersOf, type Shape, type Tensor } from '../onnx/tensor.ts'
import { type BatchAxis, isClean, placesAfterReshape } from './batch-axis.ts'
import type { FileNode } from './file-model.ts'
import { int64List } from './int64-list.ts'

/** One way in which a node can take any batch. */
export interface Form {
  /** What stands in its place; the last node makes its outputs. */
  nodes: FileNode[]
  /** Where the batch is in the output, where that doesn't follow from the inputs. */
  place?: BatchAxis
  /** Constants in the place of those of the file, by name. */
  replaced?: Map<string, Tensor>
}

export interface Situation {
  node: FileNode
  /** Shapes in the batch of the file. */
  shapes: Shape[]
  output: Shape
  /** Of each input; null where it has none. */
  axes: (BatchAxis | null)[]
  /** Content of an input that is the same for any batch. */
  content(index: number): number[] | undefined
  /** A constant for the form. */
  add(content: Tensor): string
  fresh(hint: string): string
  /** Whether all entries of an input along an axis are equal. */
  isEven(index: number, axis: number): boolean
  /** An input with its first entry along an axis in the place of all. */
  first(index: number, axis: number): { name: string; nodes: FileNode[]; replaced?: Map<string, Tensor> }
}

/** Ops that repeat extents of 1, so that what is equal for all examples needs one entry alone. */
const BROADCASTING = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Max', 'Min', 'Mean', 'Sum', 'Where', 'Equal', 'Less', 'LessOrEqual'],
  ...['Greater', 'GreaterOrEqual', 'And', 'Or', 'Xor', 'PRelu', 'MatMul', 'Gemm'],
])
const RECURRENT = new Set(['LSTM', 'GRU', 'RNN'])

/** The ways to try, likeliest first. Throws where there is none. */
export function formsOf(situation: Situation): Form[] {
  const { node, axes } = situation
  const carried = axes.find((axis) => axis !== null)
  if (!carried) return [{ nodes: [node] }]
  if (node.op === 'Reshape' || node.op === 'Flatten') return reshapes(situation, carried)
  if (node.op === 'Expand') return [expanded(situation, carried)]
  if (node.op === 'Slice') return [sliced(situation, carried)]
  if (node.op === 'Squeeze') return [squeezed(situation, carried)]
  if (node.op === 'Gather') return [gathered(situation, carried)]
  if (node.op === 'Resize') return [resized(situation, carried)]
  if (node.op === 'Concat')
    return [
      aligned(
        situation,
        node.inputs.map((_, i) => i),
      ),
    ]
  if (RECURRENT.has(node.op)) return [aligned(withoutLengths(situation), [5, 6])]
  if (BROADCASTING.has(node.op)) return [broadcast(situation)]
  return [{ nodes: [node] }]
}

const withInput = (node: FileNode, index: number, name: string): FileNode => ({
  ...node,
  inputs: node.inputs.map((own, i) => (i === index ? name : own)),
})

/** The target as the file has it where that fits, else with -1 for the batch. */
function reshapes({ node, shapes, output, content, add }: Situation, carried: BatchAxis): Form[] {
  const places = placesAfterReshape(carried, at(shapes, 0), output)
  if (places.length === 0) throw new Error('the examples of a batch do not stay together')
  if (node.op === 'Flatten' || !content(1)) return places.map((place) => ({ nodes: [node], place }))
  return places.flatMap((place): Form[] => {
    const target = output.map((extent, axis) => (axis === place.axis ? -1 : extent))
    const open = { ...withInput(node, 1, add(int64List(target))), attributes: {} }
    return [
      { nodes: [node], place },
      { nodes: [open], place },
    ]
  })
}

function expanded({ node, shapes, output, content, add }: Situation, { axis }: BatchAxis): Form {
  if (!content(1)) return { nodes: [node] }
  const own = axis + output.length - at(shapes, 0).length
  return { nodes: [withInput(node, 1, add(int64List(output.map((extent, i) => (i === own ? 1 : extent)))))] }
}

/** A slice that takes the whole batch goes to its end. */
function sliced({ node, shapes, content, add }: Situation, { axis }: BatchAxis): Form {
  const shape = at(shapes, 0)
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => content(i))
  if (!starts || !ends) return { nodes: [node] }
  const own = (axes ?? starts.map((_, i) => i)).findIndex((given) => normalAxis(given, shape.length) === axis)
  if (own < 0) return { nodes: [node] }
  const extent = at(shape, axis)
  const whole = (steps?.[own] ?? 1) === 1 && (starts[own] === 0 || starts[own]! <= -extent) && at(ends, own) >= extent
  if (!whole) throw new Error('it takes a part of the batch')
  // 2^31 - 1 is past the end of any batch.
  const open = ends.map((end, i) => (i === own ? 2 ** 31 - 1 : end))
  return { nodes: [withInput(node, 2, add(int64List(open)))] }
}

/** Without axes, the batch of 1 would go too. */
function squeezed({ node, shapes, content, add }: Situation, { axis }: BatchAxis): Form {
  const shape = at(shapes, 0)
  const given = content(1)?.map((own) => normalAxis(own, shape.length))
  if (given?.includes(axis)) throw new Error('it takes the axis of the batch away')
  if (given) return { nodes: [node] }
  const ones = shape.flatMap((extent, own) => (extent === 1 && own !== axis ? [own] : []))
  return { nodes: [{ ...node, inputs: [at(node.inputs, 0), add(int64List(ones))] }] }
}

/** Literal indices over an axis that the batch begins, as PyTorch writes strides: those of each example lie in its own part, one
 *  as in another. Then they are looked up in the part. */
function gathered({ node, shapes, axes, content, add, fresh }: Situation, carried: BatchAxis): Form {
  const shape = at(shapes, 0)
  const { axis, outer, inner } = carried
  const indices = axes[0] && content(1)
  if (!indices || normalAxis((node.attributes.axis?.value as number) ?? 0, shape.length) !== axis)
    return { nodes: [node] }
  const grid = at(shapes, 1)
  const batch = at(shape, axis) / (outer * inner)
  const own = indices.slice(0, indices.length / batch)
  const apart = indices.every((index, i) => {
    const example = Math.floor(i / own.length)
    const within = (index < 0 ? index + at(shape, axis) : index) - example * inner
    return within === own[i % own.length] && within >= 0 && within < inner
  })
  if (outer !== 1 || inner === 1 || axis !== 0 || grid[0] !== batch || !apart)
    throw new Error('it takes examples out of the batch')
  const parts = fresh(`${at(node.inputs, 0)} by example`)
  const target = add(int64List([-1, inner, ...shape.slice(1)]))
  const table = add({ ...int64List(own), shape: grid.slice(1) })
  return {
    nodes: [
      plain('Reshape', [at(node.inputs, 0), target], parts),
      { ...node, inputs: [parts, table], attributes: { axis: int(1) } },
    ],
    place: { axis: 0, outer: 1, inner: 1 },
  }
}

/** Literal sizes leave the batch as it is. */
function resized(situation: Situation, { axis }: BatchAxis): Form {
  const { node, shapes, output, content } = situation
  if (!content(3) || node.attributes.axes) return { nodes: [node] }
  if (at(shapes, 0)[axis] !== output[axis]) throw new Error('it resizes the batch')
  const sizes = shapeLike(situation, at(node.inputs, 0), axis, output)
  return { nodes: [...sizes.nodes, withInput(node, 3, sizes.name)] }
}

const plain = (op: string, inputs: string[], output: string, attributes: FileNode['attributes'] = {}): FileNode => ({
  op,
  name: output,
  inputs,
  outputs: [output],
  attributes,
})

/** A shape whose extent along an axis is that of a tensor. */
function shapeLike(
  { add, fresh }: Situation,
  name: string,
  axis: number,
  extents: Shape,
): { name: string; nodes: FileNode[] } {
  const [length, shape] = [fresh(`${name} length`), fresh(`${name} shape`)]
  const literal = (own: Shape) => (own.length > 0 ? [add(int64List(own))] : [])
  const parts = [...literal(extents.slice(0, axis)), length, ...literal(extents.slice(axis + 1))]
  const measured = plain('Shape', [name], length, { start: int(axis), end: int(axis + 1) })
  return { name: shape, nodes: [measured, plain('Concat', parts, shape, { axis: int(0) })] }
}

/** Inputs that the op does not repeat by itself are as long as the batch of another. */
function aligned(situation: Situation, indices: readonly number[]): Form {
  const { node, shapes, axes, first, isEven, fresh } = situation
  const leading = axes.findIndex((axis) => axis !== null)
  const { axis } = axes[leading]!
  const extent = at(at(shapes, leading), axis)
  const before: FileNode[] = []
  const replaced = new Map<string, Tensor>()
  let grown = node
  for (const index of indices) {
    const shape = shapes[index]
    const name = node.inputs[index]
    if (!name || !shape || axes[index]) continue
    if (shape[axis] !== extent || !isEven(index, axis))
      throw new Error(`its input ${name} differs between the examples of a batch`)
    const one = shape[axis] === 1 ? { name, nodes: [] } : first(index, axis)
    for (const [own, content] of one.replaced ?? []) replaced.set(own, content)
    const repeated = fresh(`${name} repeated`)
    const ones = shape.map(() => 1)
    const target = shapeLike(situation, at(node.inputs, leading), axis, ones)
    before.push(...one.nodes, ...target.nodes, plain('Expand', [one.name, target.name], repeated))
    grown = withInput(grown, index, repeated)
  }
  return { nodes: [...before, grown], replaced }
}

/** Sequence lengths that are all whole say nothing. */
function withoutLengths(situation: Situation): Situation {
  const { node, shapes, content } = situation
  const lengths = content(4)
  if (!node.inputs[4] || !lengths?.every((length) => length === at(shapes, 0)[0])) return situation
  return { ...situation, node: withInput(node, 4, '') }
}

/** Inputs without the batch keep one entry along it. */
function broadcast({ node, shapes, output, axes, isEven, first }: Situation): Form {
  const before: FileNode[] = []
  const replaced = new Map<string, Tensor>()
  let shrunk = node
  const leading = axes.findIndex((axis) => axis !== null)
  const lead = axes[leading]!
  const own = lead.axis + output.length - at(shapes, leading).length
  // The last two axes of a matrix product are no axes that it repeats along.
  const matrix = node.op === 'MatMul' && own >= output.length - 2
  for (const [index, name] of matrix ? [] : node.inputs.entries()) {
    const shape = shapes[index]
    const axis = own - output.length + (shape?.length ?? 0)
    if (!name || !shape || axes[index] || axis < 0 || shape[axis] === 1) continue
    if (node.op === 'Gemm' && index < 2) continue
    if (!isEven(index, axis)) {
      const period = isClean(lead) ? '' : ', whose axis is merged with others'
      throw new Error(`its input ${name} differs between the examples of a batch${period}`)
    }
    const one = first(index, axis)
    for (const [own, content] of one.replaced ?? []) replaced.set(own, content)
    before.push(...one.nodes)
    shrunk = withInput(shrunk, index, one.name)
  }
  return { nodes: [...before, shrunk], replaced }
}

/** A constant's numbers. */
export const numbersIn = (content: Tensor | undefined): number[] | undefined => content && numbersOf(content)
