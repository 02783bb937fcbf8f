/** Multinomial logistic regression to its optimum, in double precision: the same data give the same fit, whatever the order. */

export interface LogisticData {
  /** [n, dimension], row-major. */
  features: ArrayLike<number>
  dimension: number
  labels: ArrayLike<number>
  classes: number
  /** Factor λ of ‖W‖² / 2 beside the mean loss; the intercepts are free. */
  penalty: number
}

export interface LogisticFit {
  /** Logits [n, classes] of examples with such features. */
  logitsOf(features: ArrayLike<number>): Float64Array
}

/** Largest entry of the gradient at the end. */
const TOLERANCE = 1e-9
const MOST_STEPS = 1000
/** Steps that L-BFGS remembers. */
const HISTORY = 10

/** Minimises mean(-ln p of the label) + λ/2 ‖W‖² over features that are standardised by their own mean and standard deviation. */
export function fitLogistic(data: LogisticData): LogisticFit {
  const { dimension, classes } = data
  const scale = scaleOf(data)
  const rows = scale(data.features)
  const weights = minimise(new Float64Array(classes * (dimension + 1)), lossOf(rows, data))
  return { logitsOf: (features) => logitsOf(scale(features), weights, { dimension, classes }) }
}

/** Takes off the mean and divides by the standard deviation (n); a feature that never differs becomes 0. */
function scaleOf({ features, dimension }: LogisticData): (of: ArrayLike<number>) => Float64Array {
  const n = features.length / dimension
  const [means, squares] = [new Float64Array(dimension), new Float64Array(dimension)]
  for (let i = 0; i < features.length; i++) means[i % dimension]! += features[i]! / n
  for (let i = 0; i < features.length; i++) squares[i % dimension]! += (features[i]! - means[i % dimension]!) ** 2 / n
  const factors = squares.map((square, j) => {
    const deviation = Math.sqrt(square)
    // What is left of a constant by rounding is no spread.
    return deviation > 1e-12 * Math.abs(means[j]!) ? 1 / deviation : 0
  })
  return (of) => Float64Array.from(of, (value, i) => (value - means[i % dimension]!) * factors[i % dimension]!)
}

type Sizes = Pick<LogisticData, 'dimension' | 'classes'>

/** Weights are [classes, dimension + 1], each row with its intercept at the end. */
function logitsOf(rows: Float64Array, weights: Float64Array, { dimension, classes }: Sizes): Float64Array {
  const n = rows.length / dimension
  const logits = new Float64Array(n * classes)
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < classes; c++) {
      const at = c * (dimension + 1)
      let sum = weights[at + dimension]!
      for (let j = 0; j < dimension; j++) sum += rows[i * dimension + j]! * weights[at + j]!
      logits[i * classes + c] = sum
    }
  }
  return logits
}

interface Point {
  value: number
  gradient: Float64Array
}

function lossOf(rows: Float64Array, { labels, penalty, ...sizes }: LogisticData): (weights: Float64Array) => Point {
  const { dimension, classes } = sizes
  const n = labels.length
  return (weights) => {
    const logits = logitsOf(rows, weights, sizes)
    const gradient = new Float64Array(weights.length)
    let value = 0
    for (let i = 0; i < n; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes)
      const largest = row.reduce((a, b) => Math.max(a, b))
      const total = row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)
      value += (Math.log(total) + largest - row[labels[i]!]!) / n
      for (let c = 0; c < classes; c++) {
        const slope = (Math.exp(row[c]! - largest) / total - (labels[i] === c ? 1 : 0)) / n
        const at = c * (dimension + 1)
        for (let j = 0; j < dimension; j++) gradient[at + j]! += slope * rows[i * dimension + j]!
        gradient[at + dimension]! += slope
      }
    }
    for (let c = 0; c < classes; c++) {
      for (let j = 0; j < dimension; j++) {
        const weight = weights[c * (dimension + 1) + j]!
        value += (penalty * weight ** 2) / 2
        gradient[c * (dimension + 1) + j]! += penalty * weight
      }
    }
    return { value, gradient }
  }
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** a + factor · b */
const moved = (a: Float64Array, factor: number, b: Float64Array): Float64Array =>
  a.map((value, i) => value + factor * b[i]!)

interface Step {
  s: Float64Array
  y: Float64Array
}

/** L-BFGS with halved steps (Nocedal & Wright 2006, algorithms 7.4 and 3.1). Throws where it does not come to an end. */
function minimise(start: Float64Array, at: (point: Float64Array) => Point): Float64Array {
  let [point, here] = [start, at(start)]
  const steps: Step[] = []
  for (let step = 0; step < MOST_STEPS; step++) {
    if (here.gradient.every((slope) => Math.abs(slope) <= TOLERANCE)) return point
    const direction = directionOf(here.gradient, steps)
    const slope = dot(here.gradient, direction)
    let length = 1
    let next = moved(point, length, direction)
    let there = at(next)
    // Close to the optimum a step gains less than the value is known to.
    const noise = 1e-14 * Math.abs(here.value)
    while (!(there.value <= here.value + 1e-4 * length * slope + noise)) {
      // Nothing smaller can be told from where it stands.
      if (length < 1e-10) return point
      length /= 2
      next = moved(point, length, direction)
      there = at(next)
    }
    const made = { s: moved(next, -1, point), y: moved(there.gradient, -1, here.gradient) }
    if (dot(made.s, made.y) > 0) steps.push(made)
    if (steps.length > HISTORY) steps.shift()
    ;[point, here] = [next, there]
  }
  throw new Error(`logistic regression: expected an optimum within ${MOST_STEPS} steps; raise the penalty`)
}

/** - H⁻¹ · gradient, of what the last steps say of H. */
function directionOf(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  let q = gradient
  const shares = steps.toReversed().map(({ s, y }) => {
    const share = dot(s, q) / dot(s, y)
    q = moved(q, -share, y)
    return share
  })
  const last = steps.at(-1)
  const factor = last ? dot(last.s, last.y) / dot(last.y, last.y) : 1
  let r: Float64Array = q.map((value) => value * factor)
  steps.forEach(({ s, y }, i) => {
    const share = shares[steps.length - 1 - i]! - dot(y, r) / dot(s, y)
    r = moved(r, share, s)
  })
  return r.map((value) => -value)
}
