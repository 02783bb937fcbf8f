/** Nodes of constants, by family; each is folded and run. */
import type { AttributeInput } from '../../runner/engine/onnx/ops.ts'
import { floats, int64s, type Shape, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'

export type FoldCase = [op: string, inputs: (Tensor | null)[], attributes?: Record<string, AttributeInput>]

const whole = (...numbers: number[]) => int64s([numbers.length], numbers)
const one = (number: number) => int64s([], [number])
/** Exact, where a number would round. */
const exact = (...entries: bigint[]) => tensor('int64', [entries.length], BigInt64Array.from(entries))
const real = (...numbers: number[]) => floats([numbers.length], numbers)
const flags = (...numbers: number[]) => tensor('bool', [numbers.length], Uint8Array.from(numbers))
const bytes = (...numbers: number[]) => tensor('uint8', [numbers.length], Uint8Array.from(numbers))
const shorts = (...numbers: number[]) => tensor('int32', [numbers.length], Int32Array.from(numbers))
/** 0, 1, 2, ... */
const counted = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1)
  return int64s(
    shape,
    Array.from({ length: size }, (_, i) => i),
  )
}
const zeroOne = (shape: Shape, data: number[]) => tensor('bool', shape, Uint8Array.from(data))

const LARGE = 2n ** 53n + 1n
const MOST = 2n ** 63n - 1n
const LEAST = -(2n ** 63n)

const arithmetic: FoldCase[] = [
  ['Add', [int64s([2, 1], [1, 2]), whole(10, 20, 30)]],
  ['Add', [exact(LARGE, MOST), exact(1n, 1n)]],
  ['Add', [shorts(2 ** 31 - 1), shorts(1)]],
  ['Sub', [whole(5, 6), one(2)]],
  ['Sub', [exact(MOST, LEAST), exact(1n, 1n)]],
  ['Mul', [floats([2], [0.5, 2]), floats([1], [3])]],
  ['Mul', [exact(LARGE, 2n ** 62n), exact(3n, 6n)]],
  ['Mul', [shorts(123456789), shorts(987654321)]],
  ['Div', [whole(7, -7, 8), one(2)]],
  ['Div', [exact(MOST, LARGE), exact(2n, -1n)]],
  ['Div', [floats([], [1]), floats([2], [4, 8])]],
  ['Div', [bytes(255, 7), bytes(2, 3)]],
  ['Pow', [floats([2], [4, 9]), floats([], [0.5])]],
  ['Pow', [floats([3], [0, -2, -2]), floats([3], [0, 2, 3])]],
  ['Pow', [whole(3, -2), one(2)]],
  ['Pow', [exact(3037000499n), exact(2n)]],
  ['Pow', [whole(2, 3), whole(10, 4)]],
  ['Pow', [floats([2], [2, 3]), whole(-1, 2)]],
  ['Mod', [whole(7, -7, 7, -7), whole(3, 3, -3, -3)]],
  ['Mod', [whole(7, -7, 7, -7), whole(3, 3, -3, -3)], { fmod: 1 }],
  ['Mod', [real(7.5, -7.5, 7.5), real(2, 2, -2)], { fmod: 1 }],
  ['Mod', [exact(MOST), exact(LARGE)]],
  ['Max', [whole(1, 5), whole(3, 2)]],
  ['Max', [exact(LARGE), exact(LARGE - 1n), exact(0n)]],
  ['Min', [whole(1, 5), whole(3, 2)]],
  ['Min', [real(1, 5), real(3, 2), real(2, 9)]],
  ['Sum', [real(1, 2), floats([], [3]), real(5, 6)]],
  ['Mean', [real(1, 2), real(3, 8)]],
  ['Neg', [whole(1, -2)]],
  ['Neg', [exact(LEAST, MOST)]],
  ['Abs', [whole(1, -2)]],
  ['Abs', [exact(-LARGE)]],
  ['Sign', [whole(3, -2, 0)]],
  ['Sign', [real(0.5, -0.5, 0)]],
  ['Floor', [floats([2], [1.5, -1.5])]],
  ['Ceil', [floats([2], [1.5, -1.2])]],
  ['Round', [real(0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, -0.51, 3)]],
  ['Sqrt', [floats([2], [4, 2])]],
  ['Reciprocal', [floats([2], [4, 3])]],
  ['Clip', [whole(-3, 0, 7), one(-1), one(5)]],
  ['Clip', [real(-3, 0, 7), null, floats([], [5])]],
  ['BitShift', [bytes(1, 200, 3), bytes(3, 1, 0)], { direction: 'LEFT' }],
  ['BitShift', [bytes(16, 200), bytes(3, 1)], { direction: 'RIGHT' }],
  ['BitwiseAnd', [whole(6, -1), whole(3, 5)]],
  ['BitwiseOr', [whole(6, -8), whole(3, 5)]],
  ['BitwiseXor', [whole(6, -8), whole(3, 5)]],
  ['BitwiseNot', [whole(6, -8)]],
]

const logic: FoldCase[] = [
  ['Cast', [floats([3], [1.7, -1.7, 0])], { to: 7 }],
  ['Cast', [whole(2, 0, -1)], { to: 9 }],
  ['Cast', [real(0.3, 0, Number.NaN)], { to: 9 }],
  ['Cast', [exact(2n ** 32n + 5n, -1n)], { to: 6 }],
  ['Cast', [exact(LARGE)], { to: 11 }],
  ['Cast', [flags(0, 1)], { to: 1 }],
  ['CastLike', [whole(1, 2), floats([1], [0])]],
  ['CastLike', [real(1.5), one(0)]],
  ['Not', [flags(0, 1)]],
  ['And', [flags(0, 1, 1), flags(1, 1, 0)]],
  ['Or', [flags(0, 1, 0), flags(1, 1, 0)]],
  ['Xor', [flags(0, 1, 1), flags(1, 1, 0)]],
  ['Equal', [whole(1, 2), whole(1, 3)]],
  ['Equal', [exact(LARGE), exact(LARGE - 1n)]],
  ['Equal', [flags(1, 0), flags(1, 1)]],
  ['Less', [whole(1, 2), one(2)]],
  ['Less', [exact(LARGE - 1n), exact(LARGE)]],
  ['LessOrEqual', [whole(1, 2), one(1)]],
  ['Greater', [whole(1, 2), one(1)]],
  ['GreaterOrEqual', [whole(1, 2), one(2)]],
  ['IsNaN', [real(1, Number.NaN)]],
  ['IsInf', [real(1, Infinity, -Infinity)]],
  ['IsInf', [real(1, Infinity, -Infinity)], { detect_negative: 0 }],
  ['Where', [flags(1, 0), whole(1, 2), whole(3, 4)]],
  ['Where', [zeroOne([2, 1], [1, 0]), exact(MOST, LARGE), one(4)]],
]

const reductions: FoldCase[] = [
  ...['ReduceSum', 'ReduceProd', 'ReduceMax', 'ReduceMin', 'ReduceMean'].flatMap((op): FoldCase[] => [
    [op, [whole(2, 3, 4)], { keepdims: 0 }],
    [op, [int64s([1, 2], [3, -4])]],
    [op, [int64s([2, 3], [1, 5, 2, 4, 3, 7]), whole(-1)], { keepdims: 0 }],
    [op, [floats([2, 1, 2], [1, 5, -2, 4]), whole(0, 1)]],
    [op, [whole(1, 2)], { noop_with_empty_axes: 1 }],
  ]),
  ['ReduceSum', [exact(MOST, 5n)]],
  ['ReduceProd', [exact(LARGE, 2n ** 40n)]],
  ['ReduceMax', [exact(LARGE - 1n, LARGE)]],
  ['ArgMax', [int64s([2, 3], [1, 5, 5, 4, 3, 4])], { axis: 1 }],
  ['ArgMax', [int64s([2, 3], [1, 5, 5, 4, 3, 4])], { axis: -1, select_last_index: 1, keepdims: 0 }],
  ['ArgMin', [floats([2, 3], [1, 5, 1, 4, 3, 4])]],
  ['CumSum', [whole(1, 2, 3), one(0)]],
  ['CumSum', [int64s([2, 3], [1, 2, 3, 4, 5, 6]), one(-1)], { exclusive: 1 }],
  ['CumSum', [int64s([2, 3], [1, 2, 3, 4, 5, 6]), one(0)], { reverse: 1 }],
  ['CumSum', [real(1, 2, 3), one(0)], { reverse: 1, exclusive: 1 }],
]

const layout: FoldCase[] = [
  ['Identity', [exact(MOST)]],
  ['Reshape', [whole(1, 2, 3, 4), whole(2, -1)]],
  ['Reshape', [counted(2, 3), whole(0, 1, -1)]],
  ['Flatten', [counted(2, 3, 2)], { axis: 2 }],
  ['Flatten', [counted(3)], { axis: 0 }],
  ['Squeeze', [int64s([1, 1], [5]), whole(0)]],
  ['Squeeze', [int64s([1, 2, 1], [5, 6])]],
  ['Unsqueeze', [whole(1, 2), whole(0, -1)]],
  ['Transpose', [counted(2, 3)]],
  ['Transpose', [counted(2, 3, 2)], { perm: [2, 0, 1] }],
  ['Slice', [whole(1, 2, 3, 4), whole(1), whole(2 ** 62)]],
  ['Slice', [whole(1, 2, 3, 4), whole(-3), whole(-1), whole(0)]],
  ['Slice', [counted(4), whole(1), exact(MOST)]],
  ['Slice', [counted(4, 2), whole(-1), exact(-MOST), whole(0), whole(-1)]],
  ['Slice', [counted(3, 4), whole(0, 1), whole(3, 4), whole(0, 1), whole(2, 2)]],
  ['Slice', [counted(3, 4), whole(1), whole(2), whole(-1)]],
  ['Slice', [counted(5), whole(3), exact(LEAST), whole(0), whole(-2)]],
  ['Slice', [counted(5), whole(1), exact(MOST), whole(0), exact(MOST)]],
  ['Slice', [counted(5), whole(4), exact(LEAST), whole(0), exact(LEAST)]],
  ['Slice', [counted(5), whole(3), whole(1)]],
  ['Concat', [whole(1), whole(2, 3)], { axis: 0 }],
  ['Concat', [counted(2, 1), counted(2, 3)], { axis: -1 }],
  ['Concat', [counted(1, 2, 2), counted(3, 2, 2)], { axis: 0 }],
  ['Split', [counted(2, 5), whole(2, 3)], { axis: 1 }],
  ['Split', [counted(5)], { num_outputs: 2 }],
  ['Expand', [one(3), whole(2, 2)]],
  ['Expand', [counted(3, 1), whole(2, 1, 4)]],
  ['Tile', [counted(2, 3), whole(2, 1)]],
  ['Pad', [counted(2, 3), whole(0, 1, 2, 0)]],
  ['Pad', [counted(2, 3), whole(1, 0, 0, 1), one(7)]],
  ['Pad', [counted(4), whole(-1, 2)]],
  ['Pad', [counted(2, 3), whole(1, 2), one(0), whole(-1)]],
  ['Pad', [counted(3), whole(2, 1)], { mode: 'reflect' }],
  ['Pad', [counted(3), whole(2, 1)], { mode: 'edge' }],
  ['Pad', [counted(2, 3), whole(1, 2, 1, 1)], { mode: 'wrap' }],
  ['Trilu', [counted(3, 4), one(1)]],
  ['Trilu', [counted(2, 3, 3), null], { upper: 0 }],
]

const indexing: FoldCase[] = [
  ['Gather', [whole(4, 5, 6), one(-1)]],
  ['Gather', [int64s([2, 2], [1, 2, 3, 4]), whole(1, 0, 1)]],
  ['Gather', [counted(2, 3, 2), int64s([2, 2], [0, -1, 1, 1])], { axis: 1 }],
  ['GatherElements', [counted(2, 3), int64s([2, 2], [0, -1, 1, 2])], { axis: 1 }],
  ['GatherElements', [counted(3, 2), int64s([1, 2], [2, 0])]],
  ['GatherND', [counted(2, 3, 2), int64s([2, 2], [0, -1, 1, 1])]],
  ['GatherND', [counted(2, 3, 2), int64s([2, 1], [2, 0])], { batch_dims: 1 }],
  ['ScatterElements', [counted(2, 3), int64s([1, 3], [1, 0, 1]), int64s([1, 3], [7, 8, 9])]],
  ['ScatterND', [counted(3, 2), int64s([2, 1], [2, 0]), int64s([2, 2], [7, 8, 9, 10])]],
  ['OneHot', [whole(0, -1, 5), one(3), whole(0, 1)]],
  ['OneHot', [counted(2, 2), whole(3), real(-1, 2)], { axis: 1 }],
  ['NonZero', [int64s([2, 3], [0, 1, 2, 3, 0, 0])]],
  ['NonZero', [flags(0, 1, 1)]],
]

const generated: FoldCase[] = [
  ['Shape', [counted(2, 3)]],
  ['Shape', [counted(2, 3, 4)], { start: -2, end: -1 }],
  ['Size', [counted(2, 3)]],
  ['EyeLike', [counted(2, 3)], { k: 1 }],
  ['EyeLike', [counted(2, 2)], { dtype: 1 }],
  ['ConstantOfShape', [whole(2, 3)]],
  ['ConstantOfShape', [whole(2)], { value: { kind: 'tensor', value: whole(7) } }],
  ['Range', [one(1), one(8), one(3)]],
  ['Range', [one(5), one(-3), one(-2)]],
  ['Range', [one(5), one(5), one(1)]],
  ['Range', [exact(LARGE - 1n), exact(LARGE + 5n), exact(2n)].map((entry) => ({ ...entry, shape: [] }))],
  ['Range', [floats([], [0.5]), floats([], [2.1]), floats([], [0.4])]],
]

export const cases: FoldCase[] = [...arithmetic, ...logic, ...reductions, ...layout, ...indexing, ...generated]
