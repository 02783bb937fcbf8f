/** Shape and type of each op's outputs from those of its inputs (https://onnx.ai/onnx/operators/, opset 21). */
import { at, withInputs } from './arity.ts'
import { elementTypeOf } from './element-types.ts'
import {
  broadcastShapes,
  constantInts,
  type InferenceContext,
  normalAxis,
  type OutputType,
  sliceRanges,
  spansOf,
  splitLengths,
  squeezed,
  unsqueezed,
  type Window,
  windowOf,
} from './geometry.ts'
import { describe, listOf, type Node, numberOf, type Value } from './graph.ts'
import type { Shape } from './tensor.ts'

type Inference = (context: InferenceContext) => OutputType[]

const same: Inference = ({ x }) => [{ type: x[0].type, shape: x[0].shape }]
const broadcast: Inference = ({ x }) => [{ type: x[0].type, shape: broadcastShapes(...x.map(({ shape }) => shape)) }]
const comparison: Inference = ({ x }) => [{ type: 'bool', shape: broadcastShapes(...x.map(({ shape }) => shape)) }]

/** The axes that an op is given as its second input, or as its attribute until opset 12. */
const givenAxes = (context: InferenceContext) =>
  context.node.inputs[1] ? constantInts(context, 1) : listOf(context.node, 'axes', [])

const reduction: Inference = (context) => {
  const { node, x } = context
  const { type, shape } = x[0]
  const given = givenAxes(context)
  const noop = given.length === 0 && numberOf(node, 'noop_with_empty_axes', 0) === 1
  const axes = new Set(
    (given.length > 0 ? given : noop ? [] : shape.map((_, axis) => axis)).map((axis) => normalAxis(axis, shape.length)),
  )
  const keep = numberOf(node, 'keepdims', 1) === 1
  return [
    {
      type,
      shape: keep
        ? shape.map((extent, axis) => (axes.has(axis) ? 1 : extent))
        : shape.filter((_, axis) => !axes.has(axis)),
    },
  ]
}

const argReduction: Inference = ({ node, x }) => {
  const { shape } = x[0]
  const axis = normalAxis(numberOf(node, 'axis', 0), shape.length)
  const keep = numberOf(node, 'keepdims', 1) === 1
  return [
    {
      type: 'int64',
      shape: keep ? shape.map((extent, i) => (i === axis ? 1 : extent)) : shape.filter((_, i) => i !== axis),
    },
  ]
}

const slide = (extents: Shape, window: Window, ceil: boolean): number[] =>
  spansOf(window).map(({ k, stride, dilation, begin, end }, i) => {
    const extent = at(extents, i)
    const room = extent + begin + end - (k - 1) * dilation - 1
    if (!ceil) return Math.floor(room / stride) + 1
    const count = Math.ceil(room / stride) + 1
    // A window that would start in the end padding is dropped, as in PyTorch.
    return (count - 1) * stride >= extent + begin ? count - 1 : count
  })

const pooling: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  const window = windowOf(node, listOf(node, 'kernel_shape', []), shape)
  const output = [...shape.slice(0, 2), ...slide(shape.slice(2), window, numberOf(node, 'ceil_mode', 0) === 1)]
  return [
    { type, shape: output },
    { type: 'int64', shape: output },
  ]
}

const convolution: Inference = withInputs(2, ({ node, x: [input, weight] }) => {
  const window = windowOf(node, weight.shape.slice(2), input.shape)
  const extents = slide(input.shape.slice(2), window, false)
  return [{ type: input.type, shape: [at(input.shape, 0), at(weight.shape, 0), ...extents] }]
})

const transposedConvolution: Inference = withInputs(2, ({ node, x: [input, weight] }) => {
  const window = windowOf(node, weight.shape.slice(2), input.shape)
  const extra = listOf(node, 'output_padding', Array(window.kernel.length).fill(0))
  const extents = spansOf(window).map(
    ({ k, stride, dilation, begin, end }, i) =>
      stride * (at(input.shape, i + 2) - 1) + at(extra, i) + (k - 1) * dilation + 1 - begin - end,
  )
  return [
    { type: input.type, shape: [at(input.shape, 0), at(weight.shape, 1) * numberOf(node, 'group', 1), ...extents] },
  ]
})

const matMul: Inference = withInputs(2, ({ node, x: [a, b] }) => {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  if (left.at(-1) !== right.at(-2)) throw new Error(`${describe(node)}: [${a.shape}] x [${b.shape}] do not multiply`)
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2))
  return [
    {
      type: a.type,
      shape: [
        ...batch,
        ...(a.shape.length === 1 ? [] : [at(left, -2)]),
        ...(b.shape.length === 1 ? [] : [at(right, -1)]),
      ],
    },
  ]
})

const reshape: Inference = (context) => {
  const { type, shape } = context.x[0]
  const target = constantInts(context, 1).map((extent, i) =>
    extent === 0 && numberOf(context.node, 'allowzero', 0) === 0 ? at(shape, i) : extent,
  )
  const known = target.reduce((size, extent) => (extent === -1 ? size : size * extent), 1)
  const size = shape.reduce((product, extent) => product * extent, 1)
  const output = target.map((extent) => (extent === -1 ? size / known : extent))
  if (output.reduce((product, extent) => product * extent, 1) !== size) {
    throw new Error(`${describe(context.node)}: [${shape}] does not reshape to [${target}]`)
  }
  return [{ type, shape: output }]
}

const gather: Inference = withInputs(2, ({ node, x: [data, indices] }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), data.shape.length)
  return [{ type: data.type, shape: [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)] }]
})

const resize: Inference = (context) => {
  const { node, x } = context
  const { type, shape } = x[0]
  if (node.inputs[3]) return [{ type, shape: constantInts(context, 3) }]
  const scales = constantInts(context, 2)
  return [{ type, shape: shape.map((extent, axis) => Math.floor(extent * at(scales, axis))) }]
}

const pad: Inference = (context) => {
  const { type, shape } = context.x[0]
  const pads = constantInts(context, 1)
  const axes = context.node.inputs[3]
    ? constantInts(context, 3).map((axis) => normalAxis(axis, shape.length))
    : shape.map((_, axis) => axis)
  const output = [...shape]
  axes.forEach((axis, i) => {
    output[axis] = at(shape, axis) + at(pads, i) + at(pads, i + axes.length)
  })
  return [{ type, shape: output }]
}

const normalization: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  return node.outputs.map((_, i) => ({ type, shape: i === 0 ? shape : [at(shape, 1)] }))
}

const layerNormalization: Inference = ({ node, x }) => {
  const { type, shape } = x[0]
  const axis = normalAxis(numberOf(node, 'axis', -1), shape.length)
  const statistics = shape.map((extent, i) => (i < axis ? extent : 1))
  return node.outputs.map((_, i) => ({ type, shape: i === 0 ? shape : statistics }))
}

const inferences: Record<string, Inference> = {
  ...Object.fromEntries(
    [
      ...[
        'Abs',
        'Ceil',
        'Clip',
        'Elu',
        'Erf',
        'Exp',
        'Floor',
        'Gelu',
        'GroupNormalization',
        'HardSigmoid',
        'HardSwish',
        'Identity',
      ],
      ...[
        'InstanceNormalization',
        'LeakyRelu',
        'Log',
        'LogSoftmax',
        'Neg',
        'Not',
        'Reciprocal',
        'Relu',
        'Round',
        'Selu',
        'ScatterElements',
      ],
      ...['Sigmoid', 'Sign', 'Softmax', 'Softplus', 'Sqrt', 'Tanh', 'Sin', 'Cos', 'CumSum', 'ScatterND'],
    ].map((op) => [op, same]),
  ),
  ...Object.fromEntries(
    ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Mean', 'Sum', 'Pow', 'Mod', 'PRelu', 'And', 'Or'].map((op) => [
      op,
      broadcast,
    ]),
  ),
  ...Object.fromEntries(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map((op) => [op, comparison])),
  ...Object.fromEntries(
    [
      'ReduceSum',
      'ReduceMean',
      'ReduceMax',
      'ReduceMin',
      'ReduceL1',
      'ReduceL2',
      'ReduceSumSquare',
      'ReduceProd',
      'ReduceLogSumExp',
    ].map((op) => [op, reduction]),
  ),
  ArgMax: argReduction,
  ArgMin: argReduction,
  Where: withInputs(3, ({ x }) => [{ type: x[1].type, shape: broadcastShapes(...x.map(({ shape }) => shape)) }]),
  Cast: ({ node, x }) => [{ type: elementTypeOf(numberOf(node, 'to', 1)), shape: x[0].shape }],
  Dropout: ({ x: [{ type, shape }] }) => [
    { type, shape },
    { type: 'bool', shape },
  ],
  MatMul: matMul,
  Gemm: withInputs(2, ({ node, x: [a, b] }) => {
    const rows = at(a.shape, numberOf(node, 'transA', 0) ? 1 : 0)
    const columns = at(b.shape, numberOf(node, 'transB', 0) ? 0 : 1)
    return [{ type: a.type, shape: [rows, columns] }]
  }),
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: pooling,
  AveragePool: pooling,
  GlobalAveragePool: ({ x }) => [{ type: x[0].type, shape: x[0].shape.map((extent, axis) => (axis < 2 ? extent : 1)) }],
  GlobalMaxPool: ({ x }) => [{ type: x[0].type, shape: x[0].shape.map((extent, axis) => (axis < 2 ? extent : 1)) }],
  BatchNormalization: normalization,
  LayerNormalization: layerNormalization,
  Reshape: reshape,
  Transpose: ({ node, x }) => {
    const { type, shape } = x[0]
    const permutation = listOf(
      node,
      'perm',
      shape.map((_, axis) => shape.length - 1 - axis),
    )
    return [{ type, shape: permutation.map((axis) => at(shape, axis)) }]
  },
  Flatten: ({ node, x }) => {
    const { type, shape } = x[0]
    const axis = normalAxis(numberOf(node, 'axis', 1), shape.length)
    const size = (extents: Shape) => extents.reduce((product, extent) => product * extent, 1)
    return [{ type, shape: [size(shape.slice(0, axis)), size(shape.slice(axis))] }]
  },
  Concat: ({ node, x }) => {
    const axis = normalAxis(numberOf(node, 'axis', 0), x[0].shape.length)
    const total = x.reduce((sum, { shape }) => sum + at(shape, axis), 0)
    return [{ type: x[0].type, shape: x[0].shape.map((extent, i) => (i === axis ? total : extent)) }]
  },
  Split: (context) => {
    const { axis, lengths } = splitLengths(context)
    const { type, shape } = context.x[0]
    return lengths.map((length) => ({ type, shape: shape.map((extent, i) => (i === axis ? length : extent)) }))
  },
  Slice: (context) => [{ type: context.x[0].type, shape: sliceRanges(context).map(({ length }) => length) }],
  Pad: pad,
  Gather: gather,
  GatherElements: withInputs(2, ({ x: [{ type }, { shape }] }) => [{ type, shape }]),
  GatherND: withInputs(2, ({ node, x: [data, indices] }) => {
    const named = numberOf(node, 'batch_dims', 0) + at(indices.shape, -1)
    return [{ type: data.type, shape: [...indices.shape.slice(0, -1), ...data.shape.slice(named)] }]
  }),
  Unsqueeze: (context) => [{ type: context.x[0].type, shape: unsqueezed(context.x[0].shape, givenAxes(context)) }],
  Squeeze: (context) => [{ type: context.x[0].type, shape: squeezed(context.x[0].shape, givenAxes(context)) }],
  Expand: (context) => [
    { type: context.x[0].type, shape: broadcastShapes(context.x[0].shape, constantInts(context, 1)) },
  ],
  TopK: (context) => {
    const { type, shape } = context.x[0]
    const axis = normalAxis(numberOf(context.node, 'axis', -1), shape.length)
    const count = at(constantInts(context, 1), 0)
    const largest = shape.map((extent, i) => (i === axis ? count : extent))
    return [
      { type, shape: largest },
      { type: 'int64', shape: largest },
    ]
  },
  Tile: (context) => {
    const repeats = constantInts(context, 1)
    return [{ type: context.x[0].type, shape: context.x[0].shape.map((extent, axis) => extent * at(repeats, axis)) }]
  },
  Resize: resize,
  Shape: ({ x }) => [{ type: 'int64', shape: [x[0].shape.length] }],
  ConstantOfShape: (context) => {
    const value = context.node.attributes.value
    return [{ type: value?.kind === 'tensor' ? value.value.type : 'float32', shape: constantInts(context, 0) }]
  },
  OneHot: withInputs(3, ({ node, x: [{ shape }, , values], constant }) => {
    const depth = Number(constant(1)?.data[0])
    const axis = normalAxis(numberOf(node, 'axis', -1), shape.length + 1)
    return [{ type: values.type, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }]
  }),
}

/** Types and shapes of a node's outputs. Throws for an op without a shape rule, naming the node. */
export function inferOutputs(
  node: Node,
  [first, ...rest]: readonly Value[],
  constant: InferenceContext['constant'],
): OutputType[] {
  const infer = inferences[node.op]
  if (!infer) throw new Error(`no shape rule for ${describe(node)}; add ${node.op} to runner/engine/onnx/shapes.ts`)
  if (!first) throw new Error(`${describe(node)} has no inputs`)
  return infer({ node, x: [first, ...rest], constant })
}
