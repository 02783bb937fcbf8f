/** Rows of the RBF kernel K(a, b) = exp(-gamma |a - b|^2) of samples: one row a distinct sample, rounded to float32, computed when
 *  first asked for and kept while memory lasts (Chang & Lin, section 5.2, caching). */

/** Rows taken from the system at once, in bytes: one allocation a row costs as much as a third of its content. */
const BLOCK_BYTES = 2 ** 20

/** Distinct samples, each of so many numbers; those of one number in ascending order. */
export interface Samples {
  data: Float64Array
  features: number
}

export interface KernelRows {
  /** K(sample, each of them). It holds until four other rows were asked for. */
  row(value: number): Float32Array
  /** No row is asked for any more: the next problem writes its own in the same memory. */
  release(): void
}

/** Memory of problems before: 30 MB that the system clears for each of many small problems cost a fifth of their time. */
const spare: ArrayBuffer[] = []
/** As much as the largest usual cache. */
const MOST_SPARE = 32

/** The row unused for longest gives way. */
export function kernelRows({ data, features }: Samples, gamma: number, cacheBytes: number): KernelRows {
  const count = data.length / features
  const fill = features === 1 ? rowFiller(data, gamma) : vectorRowFiller(data, features, gamma)
  const capacity = Math.max(5, Math.min(count, Math.floor(cacheBytes / (4 * count))))
  /** In order of last use, but only where not all of them fit. */
  const kept = new Map<number, Float32Array>()
  let block = new Float32Array(0)
  let taken = 0
  const blocks: ArrayBuffer[] = []

  function allocate(): Float32Array {
    if (taken === block.length) {
      const rows = Math.min(capacity - kept.size, Math.max(1, Math.floor(BLOCK_BYTES / (4 * count))))
      block = blockOf(rows * count)
      blocks.push(block.buffer)
      taken = 0
    }
    taken += count
    return block.subarray(taken - count, taken)
  }

  function giveWay(): Float32Array {
    const [oldest, row] = kept.entries().next().value!
    kept.delete(oldest)
    return row
  }

  return {
    row(value) {
      const known = kept.get(value)
      if (known && capacity === count) return known
      if (known) kept.delete(value)
      const row = known ?? fill(kept.size < capacity ? allocate() : giveWay(), value)
      kept.set(value, row)
      return row
    },
    release() {
      kept.clear()
      const room = MOST_SPARE - spare.length
      spare.push(
        ...blocks
          .splice(0)
          .filter(({ byteLength }) => byteLength === BLOCK_BYTES)
          .slice(0, room),
      )
    },
  }
}

/** So many numbers, not cleared. */
function blockOf(length: number): Float32Array<ArrayBuffer> {
  const bytes = Float32Array.BYTES_PER_ELEMENT * length
  if (bytes > BLOCK_BYTES) return new Float32Array(length)
  return new Float32Array(spare.pop() ?? new ArrayBuffer(BLOCK_BYTES), 0, length)
}

/** Steps of a table of exp from one power to the next. */
const STEPS = 1024
/** Where a table ends at the latest; confidences need it up to 1. */
const MOST = 16
/** What the polynomial leaves out, r^3 / 6 with |r| <= 1 / 2048, is 1.9e-11. */
const ERROR = 2 ** -35

/** The same for samples of several features, t = gamma (|a|^2 + |b|^2 - 2 a b), as LIBSVM writes it. */
function vectorRowFiller(data: Float64Array, features: number, gamma: number) {
  const at = (sample: number) => data.subarray(sample * features, (sample + 1) * features)
  const squares = Float64Array.from({ length: data.length / features }, (_, sample) => dot(at(sample), at(sample)))
  return (row: Float32Array, sample: number): Float32Array => {
    const own = at(sample)
    for (let k = 0; k < row.length; k++)
      row[k] = Math.exp(-gamma * (squares[sample]! + squares[k]! - 2 * dot(own, at(k))))
    return row
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** A function that writes fround(Math.exp(-t)) for t = gamma (a^2 + b^2 - 2ab), which is how scikit-learn writes gamma (a - b)^2; the
 *  last bits of the two differ. `values` are ascending. */
function rowFiller(values: Float64Array, gamma: number): (row: Float32Array, value: number) => Float32Array {
  const squares = values.map((value) => value * value)
  const range = values.at(-1)! - values[0]!
  const most = gamma * range * range
  const noise = gamma * Math.max(squares[0]!, squares.at(-1)!) * 2 ** -50
  if (!(most < MOST && noise < 1 / (4 * STEPS))) {
    return (row, value) => {
      const double = 2 * values[value]!
      const square = squares[value]!
      for (let k = 0; k < row.length; k++) row[k] = Math.exp(-gamma * (square + squares[k]! - double * values[k]!))
      return row
    }
  }
  // The same numbers in three fifths of the time: exp(-t) = exp(-step / STEPS) exp(-r) by a table and a polynomial. Where both ends
  // of its error do not round to the same float32, once in a thousand, Math.exp decides.
  const table = Float64Array.from({ length: Math.ceil(most * STEPS) + 2 }, (_, step) => Math.exp(-step / STEPS))
  const lower = table.map((exp) => exp * (1 - ERROR))
  const upper = table.map((exp) => exp * (1 + ERROR))
  return (row, value) => {
    const double = 2 * values[value]!
    const square = squares[value]!
    for (let k = 0; k < row.length; k++) {
      const t = gamma * (square + squares[k]! - double * values[k]!)
      const step = (t * STEPS + 0.5) | 0
      const r = t - step * (1 / STEPS)
      const exp = 1 - r * (1 - r * 0.5)
      const low = Math.fround(lower[step]! * exp)
      row[k] = low
      if (low !== Math.fround(upper[step]! * exp)) row[k] = Math.exp(-t)
    }
    return row
  }
}
