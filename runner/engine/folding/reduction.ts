/** Reductions, and sums along an axis. */
import { at, withInputs } from '../onnx/arity.ts'
import { givenAxes, normalAxis } from '../onnx/geometry.ts'
import { numberOf } from '../onnx/graph.ts'
import { type Entry, type Fold, type FoldContext, firstOf, isFloat, lanesOf, made, outputOf } from './rule.ts'

/** What is computed of the entries that become one. */
interface Formulas {
  real: (entries: number[]) => number
  whole: (entries: bigint[]) => bigint
}

function reducedAxes(context: FoldContext): Set<number> {
  const rank = context.x[0].shape.length
  const given = givenAxes(context)
  const none = numberOf(context.node, 'noop_with_empty_axes', 0) === 1
  const axes = given.length > 0 || none ? given : [...context.x[0].shape.keys()]
  return new Set(axes.map((axis) => normalAxis(axis, rank)))
}

const reduction =
  ({ real, whole }: Formulas): Fold =>
  (context) => {
    const [x] = context.x
    const lanes = lanesOf(x.shape, reducedAxes(context))
    const { shape } = outputOf(context)
    const entries = (lane: number) => at(lanes, lane).map((place) => x.data[place]!)
    const reduced = isFloat(x.type)
      ? (lane: number) => real(entries(lane) as number[])
      : (lane: number) => whole(entries(lane).map(BigInt))
    return [made(x.type, shape, reduced)]
  }

/** The bound that a sum or product of 64-bit integers passes. Below it they are exact, where onnxruntime's go through doubles. */
const INT64 = 2n ** 63n
const saturated = (entry: bigint) => (entry >= INT64 ? INT64 - 1n : entry < -INT64 ? -INT64 : entry)

const sum = (entries: number[]) => entries.reduce((a, b) => a + b, 0)
const wholeSum = (entries: bigint[]) => entries.reduce((a, b) => a + b, 0n)
export const ReduceSum = reduction({ real: sum, whole: (entries) => saturated(wholeSum(entries)) })
export const ReduceMean = reduction({
  real: (entries) => sum(entries) / entries.length,
  whole: (entries) => wholeSum(entries) / BigInt(entries.length),
})
export const ReduceProd = reduction({
  real: (entries) => entries.reduce((a, b) => a * b, 1),
  whole: (entries) => entries.reduce((a, b) => saturated(a * b), 1n),
})
export const ReduceMax = reduction({
  real: (entries) => entries.reduce((a, b) => Math.max(a, b)),
  whole: (entries) => entries.reduce((a, b) => (a > b ? a : b)),
})
export const ReduceMin = reduction({
  real: (entries) => entries.reduce((a, b) => Math.min(a, b)),
  whole: (entries) => entries.reduce((a, b) => (a < b ? a : b)),
})

/** The first of the extreme entries, or the last where the node asks for it. */
const argument =
  (beats: (a: Entry, b: Entry) => boolean): Fold =>
  (context) => {
    const {
      node,
      x: [x],
    } = context
    const axis = normalAxis(numberOf(node, 'axis', 0), x.shape.length)
    const last = numberOf(node, 'select_last_index', 0) === 1
    const lanes = lanesOf(x.shape, new Set([axis]))
    const best = (lane: readonly number[]) =>
      lane.reduce((found, place, i) => {
        const [entry, other] = [x.data[place]!, x.data[at(lane, found)]!]
        return beats(entry, other) || (last && entry === other) ? i : found
      }, 0)
    return [made('int64', outputOf(context).shape, (i) => best(at(lanes, i)))]
  }
export const ArgMax = argument((a, b) => a > b)
export const ArgMin = argument((a, b) => a < b)

export const CumSum: Fold = withInputs(2, ({ node, x: [x, axis] }) => {
  const along = normalAxis(Number(firstOf(axis)), x.shape.length)
  const exclusive = numberOf(node, 'exclusive', 0) === 1
  const reverse = numberOf(node, 'reverse', 0) === 1
  const sums = Array<Entry>(x.data.length)
  const zero = typeof x.data[0] === 'bigint' ? 0n : 0
  for (const lane of lanesOf(x.shape, new Set([along]))) {
    let sum: Entry = zero
    for (const place of reverse ? lane.toReversed() : lane) {
      const entry = x.data[place]!
      const next: Entry = typeof sum === 'bigint' ? sum + (entry as bigint) : sum + (entry as number)
      sums[place] = exclusive ? sum : next
      sum = next
    }
  }
  return [made(x.type, x.shape, (i) => sums[i]!)]
})
