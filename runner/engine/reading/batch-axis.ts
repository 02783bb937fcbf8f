/** Where the batch lies in a tensor: which axis goes over examples, and what that axis is merged with. */
import { normalAxis } from '../onnx/geometry.ts'
import { OPSET } from '../onnx/model.ts'
import { type Shape, sizeOf } from '../onnx/tensor.ts'
import type { FileNode } from './file-model.ts'

/** The axis has outer · batch · inner entries: `outer` steps over all of the batch, with `inner` entries of each example. */
export interface BatchAxis {
  axis: number
  outer: number
  inner: number
}

export const isClean = ({ outer, inner }: BatchAxis): boolean => outer === 1 && inner === 1

/** Where the batch can be after a reshape, by its place in row-major order. One place, unless the batch is 1: then extents beside
 *  it may or may not have taken it in. The likeliest comes first: an axis of its own, else one that it begins. */
export function placesAfterReshape({ axis, outer, inner }: BatchAxis, from: Shape, to: Shape): BatchAxis[] {
  const before = sizeOf(from.slice(0, axis)) * outer
  const behind = inner * sizeOf(from.slice(axis + 1))
  const places = to.flatMap((_, own) => {
    const place = { axis: own, outer: before / sizeOf(to.slice(0, own)), inner: behind / sizeOf(to.slice(own + 1)) }
    return Number.isInteger(place.outer) && Number.isInteger(place.inner) ? [place] : []
  })
  const rank = (place: BatchAxis) => (isClean(place) ? 0 : place.outer === 1 ? 1 : 2)
  return places.sort((a, b) => rank(a) - rank(b))
}

const all = () => true
const none = () => false
const allBut = (own: number) => (axis: number) => axis !== own
/** Tells whether a node mixes entries along an axis of an input of this shape. */
type Mixes = (node: FileNode, shape: Shape, input: number) => (axis: number) => boolean

const number = ({ attributes }: FileNode, name: string, fallback: number) =>
  (attributes[name]?.value as number | undefined) ?? fallback
const along =
  (fallback: number): Mixes =>
  (node, shape) => {
    const own = normalAxis(number(node, 'axis', fallback), shape.length)
    return (axis) => axis === own
  }
const fromAxisOn: Mixes = (node, shape) => {
  const first = normalAxis(number(node, 'axis', -1), shape.length)
  return (axis) => axis >= first
}
const softmax: Mixes = (node, shape, input) =>
  (node.opset ?? OPSET) < 13
    ? (axis) => axis >= normalAxis(number(node, 'axis', 1), shape.length)
    : along(-1)(node, shape, input)
/** Of images: examples along the first axis. */
const perImage: Mixes = (_, __, input) => (input === 0 ? allBut(0) : all)
const apart: Mixes = () => none
const recurrent: Mixes = (_, __, input) => (input === 0 || input > 4 ? allBut(1) : all)

/** Ops of which it is known which axes they mix. Those that would lose the batch, as a sum over it does, need no word here. */
const mixing: Record<string, Mixes> = {
  ...Object.fromEntries(
    [
      ...[
        'Abs',
        'Acos',
        'Add',
        'And',
        'Asin',
        'Asinh',
        'Atan',
        'Cast',
        'CastLike',
        'Ceil',
        'Celu',
        'Clip',
        'Concat',
        'Cos',
      ],
      ...[
        'Cosh',
        'Div',
        'Dropout',
        'Einsum',
        'Elu',
        'Equal',
        'Erf',
        'Exp',
        'Expand',
        'Flatten',
        'Floor',
        'Gather',
        'Gelu',
      ],
      ...['Gemm', 'Greater', 'GreaterOrEqual', 'HardSigmoid', 'HardSwish', 'Identity', 'IsInf', 'IsNaN', 'LeakyRelu'],
      ...[
        'Less',
        'LessOrEqual',
        'Log',
        'MatMul',
        'Max',
        'Mean',
        'Min',
        'Mish',
        'Mod',
        'Mul',
        'Neg',
        'Not',
        'OneHot',
        'Or',
      ],
      ...['PRelu', 'Pad', 'Pow', 'Reciprocal', 'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax'],
      ...['ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum', 'ReduceSumSquare', 'Relu', 'Reshape', 'Round', 'Selu'],
      ...[
        'Shape',
        'Shrink',
        'Sigmoid',
        'Sign',
        'Sin',
        'Sinh',
        'Size',
        'Slice',
        'Softplus',
        'Softsign',
        'Split',
        'Sqrt',
      ],
      ...[
        'Squeeze',
        'Sub',
        'Sum',
        'Swish',
        'Tan',
        'Tanh',
        'ThresholdedRelu',
        'Tile',
        'Transpose',
        'Unsqueeze',
        'Where',
        'Xor',
      ],
      ...['ConstantOfShape', 'RandomUniformLike', 'RandomNormalLike', 'ArgMax', 'ArgMin'],
    ].map((op) => [op, apart]),
  ),
  ...Object.fromEntries(
    [
      ...[
        'AveragePool',
        'Col2Im',
        'Conv',
        'ConvTranspose',
        'DepthToSpace',
        'GlobalAveragePool',
        'GlobalLpPool',
        'GlobalMaxPool',
      ],
      ...[
        'GroupNormalization',
        'InstanceNormalization',
        'LRN',
        'LpPool',
        'MaxPool',
        'Resize',
        'SpaceToDepth',
        'Upsample',
      ],
    ].map((op) => [op, perImage]),
  ),
  BatchNormalization: (_, __, input) => (input === 0 ? (axis) => axis === 1 : all),
  GridSample: () => allBut(0),
  Softmax: softmax,
  LogSoftmax: softmax,
  Hardmax: softmax,
  LayerNormalization: fromAxisOn,
  RMSNormalization: fromAxisOn,
  LpNormalization: along(-1),
  MeanVarianceNormalization: () => allBut(1),
  GatherElements: along(0),
  ScatterElements: along(0),
  TopK: along(-1),
  Trilu:
    (_, { length }) =>
    (axis) =>
      axis >= length - 2,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
}

/** Throws where a node would make examples depend on each other. */
export function checkApart(node: FileNode, shape: Shape, input: number, { axis }: BatchAxis): void {
  const mixes = Object.hasOwn(mixing, node.op) ? mixing[node.op] : undefined
  if (!mixes) throw new Error('whether it keeps examples apart is not known')
  if (mixes(node, shape, input)(axis)) throw new Error('it mixes the examples of a batch')
}
