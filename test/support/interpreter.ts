/** What expressions mean, in double precision and without an engine: the reference that compiled graphs are held against. */
import type { ExprNode, Recording } from '../../runner/science/expression.ts'

export interface Plain {
  shape: readonly number[]
  data: readonly number[]
}
export type PlainValue = Plain | readonly Plain[]

const isPack = (value: PlainValue): value is readonly Plain[] => Array.isArray(value)
const sizeOf = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1)
export const scalar = (value: number): Plain => ({ shape: [], data: [value] })
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

type Options = ExprNode['with']
const each: Record<string, (args: number[], options: Options) => number> = {
  add: ([a, b]) => a! + b!,
  subtract: ([a, b]) => a! - b!,
  multiply: ([a, b]) => a! * b!,
  divide: ([a, b]) => a! / b!,
  power: ([a], { exponent }) => a! ** (exponent as number),
  maximum: ([a, b]) => Math.max(a!, b!),
  minimum: ([a, b]) => Math.min(a!, b!),
  negate: ([a]) => -a!,
  abs: ([a]) => Math.abs(a!),
  sign: ([a]) => Math.sign(a!),
  round: ([a]) => {
    const below = Math.floor(a!)
    return a! - below === 0.5 ? 2 * Math.round(below / 2) : Math.round(a!)
  },
  square: ([a]) => a! * a!,
  sqrt: ([a]) => Math.sqrt(a!),
  exp: ([a]) => Math.exp(a!),
  log: ([a]) => Math.log(a!),
  relu: ([a]) => Math.max(a!, 0),
  sigmoid: ([a]) => 1 / (1 + Math.exp(-a!)),
  softplus: ([a]) => softplus(a!),
  tanh: ([a]) => Math.tanh(a!),
  clip: ([a], { low, high }) => Math.min(Math.max(a!, low as number), high as number),
  greater: ([a, b]) => (a! > b! ? 1 : 0),
  where: ([condition, a, b]) => (condition !== 0 ? a! : b!),
}

/** NumPy's broadcasting. */
function broadcast(args: readonly Plain[], apply: (values: number[]) => number): Plain {
  const rank = Math.max(...args.map(({ shape }) => shape.length))
  const padded = args.map(({ shape }) => [...Array<number>(rank - shape.length).fill(1), ...shape])
  const shape = Array.from({ length: rank }, (_, axis) => Math.max(...padded.map((extents) => extents[axis]!)))
  const data = Array.from({ length: sizeOf(shape) }, (_, flat) => {
    const values = args.map(({ data }, k) => {
      let [rest, at, stride] = [flat, 0, 1]
      for (let axis = rank - 1; axis >= 0; axis--) {
        const extent = padded[k]![axis]!
        at += stride * (extent === 1 ? 0 : rest % shape[axis]!)
        stride *= extent
        rest = Math.floor(rest / shape[axis]!)
      }
      return data[at]!
    })
    return apply(values)
  })
  return { shape, data }
}

/** Rows of a matrix. */
const rowsOf = ({ shape, data }: Plain): number[][] =>
  Array.from({ length: shape[0]! }, (_, i) => data.slice(i * shape[1]!, (i + 1) * shape[1]!))
const logSumExp = (row: readonly number[]) => {
  const most = Math.max(...row)
  return most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0))
}
const total = ({ data }: Plain) => data.reduce((sum, value) => sum + value, 0)
const along = ({ shape, data }: Plain, axis: number): Plain => {
  const [outer, extent, inner] = [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))]
  const sums = Array.from({ length: outer * inner }, (_, at) => {
    const [o, i] = [Math.floor(at / inner), at % inner]
    return Array.from({ length: extent }, (_, e) => data[(o * extent + e) * inner + i]!).reduce((a, b) => a + b, 0)
  })
  return { shape: shape.filter((_, at) => at !== axis), data: sums }
}
const scaled = ({ shape, data }: Plain, factor: number): Plain => ({ shape, data: data.map((value) => value * factor) })

const whole: Record<string, (args: Plain[], options: Options) => Plain> = {
  softmax: ([a]) => ({
    shape: a!.shape,
    data: rowsOf(a!).flatMap((row) => row.map((value) => Math.exp(value - logSumExp(row)))),
  }),
  logSoftmax: ([a]) => ({
    shape: a!.shape,
    data: rowsOf(a!).flatMap((row) => row.map((value) => value - logSumExp(row))),
  }),
  logSumExp: ([a]) => ({ shape: [a!.shape[0]!], data: rowsOf(a!).map(logSumExp) }),
  pick: ([a, labels]) => ({ shape: [a!.shape[0]!], data: rowsOf(a!).map((row, i) => row[labels!.data[i]!]!) }),
  argMax: ([a]) => ({ shape: [a!.shape[0]!], data: rowsOf(a!).map((row) => row.indexOf(Math.max(...row))) }),
  oneHot: ([labels], { classes }) => ({
    shape: [labels!.shape[0]!, classes as number],
    data: labels!.data.flatMap((label) => Array.from({ length: classes as number }, (_, k) => (k === label ? 1 : 0))),
  }),
  crossEntropy: ([logits, labels]) => {
    const losses = rowsOf(logits!).map((row, i) => logSumExp(row) - row[labels!.data[i]!]!)
    return scalar(losses.reduce((sum, loss) => sum + loss) / losses.length)
  },
  squaredError: ([a, b], { reduction }) => {
    const squares = broadcast([a!, b!], ([x, y]) => (x! - y!) ** 2)
    return scalar(total(squares) / (reduction === 'sum' ? a!.shape[0]! : a!.data.length))
  },
}

/** `known` gives values of the ops that no language has by itself, such as logits. */
export function interpret(
  { nodes, output }: Recording,
  known: (node: ExprNode, args: readonly PlainValue[]) => PlainValue,
): PlainValue {
  const values: PlainValue[] = []
  for (const node of nodes)
    values.push(
      valueAt(
        node,
        node.args.map((id) => values[id]!),
      ),
    )
  return values[output]!

  function valueAt(node: ExprNode, args: readonly PlainValue[]): PlainValue {
    const { op, with: options } = node
    const [a, b] = args
    const parts = a === undefined ? [] : isPack(a) ? a : [a]
    if (op === 'constant') return scalar(options.value as number)
    if (op === 'stop') return a!
    if (op in each) {
      const pack = args.find(isPack)
      const at = (i: number) =>
        broadcast(
          args.map((arg) => (isPack(arg) ? arg[i]! : arg)),
          (values) => each[op]!(values, options),
        )
      return pack ? pack.map((_, i) => at(i)) : at(0)
    }
    if (op in whole) return whole[op]!(args as Plain[], options)
    switch (op) {
      case 'sum':
      case 'mean': {
        if (options.axis !== undefined) {
          const { shape } = a as Plain
          const summed = along(a as Plain, options.axis as number)
          return op === 'sum' ? summed : scaled(summed, 1 / shape[options.axis as number]!)
        }
        const sum = parts.reduce((sum, part) => sum + total(part), 0)
        return scalar(op === 'sum' ? sum : sum / parts.reduce((count, { data }) => count + data.length, 0))
      }
      case 'norm':
        return scalar(Math.hypot(...parts.flatMap(({ data }) => data)))
      case 'dot': {
        const others = isPack(b!) ? b : [b!]
        return scalar(
          parts.reduce((sum, part, i) => sum + total(broadcast([part, others[i]!], ([x, y]) => x! * y!)), 0),
        )
      }
      case 'shrinkChanges': {
        const anchors = b as readonly Plain[]
        const changes = parts.map((part, i) => broadcast([part, anchors[i]!], ([x, y]) => x! - y!))
        const sorted = changes.flatMap(({ data }) => data.map(Math.abs)).sort((x, y) => x - y)
        const k = (args[2] as Plain).data[0]!
        const tau = k === 0 ? 0 : sorted[k - 1]!
        const shrunk = (d: number) => Math.sign(d) * Math.max(Math.abs(d) - tau, 0)
        return anchors.map((anchor, i) => broadcast([anchor, changes[i]!], ([x, d]) => x! + shrunk(d!)))
      }
      default:
        return known(node, args)
    }
  }
}
