/** A support vector classifier (C-SVC, RBF kernel), which decides as scikit-learn's SVC does. */
import { solveDual } from './smo.ts'

export interface SvcProblem {
  /** [n, features], row-major. */
  samples: Float64Array
  /** Numbers of each sample; 1 where it is left out. */
  features?: number | undefined
  /** 1 or 0 for each; both occur. */
  labels: Uint8Array
  /** C. */
  cost: number
  /** Of the kernel exp(-gamma |a - b|^2). */
  gamma: number
  /** What kernel rows may take. Changes the time, never a decision: 8 MB instead of 200 cost 20,000 samples a tenth. */
  cacheBytes?: number
}

export interface Svc {
  /** The class of each query, 1 or 0; [n, features]. */
  decide(queries: Float64Array): Uint8Array
  /** Of one; above zero for class 0. */
  decisionFunction(query: Float64Array): number
  /** Of each sample. */
  alpha: Float64Array
  rho: number
  /** Pairs that were optimized. */
  steps: number
}

export function trainSvc({ samples, features = 1, labels, cost, gamma, cacheBytes = 2 ** 25 }: SvcProblem): Svc {
  check({ samples, features, labels, cost, gamma })
  // Class 0 first, as scikit-learn sorts classes, and it is the positive one.
  const order = [0, 1].flatMap((label) => Array.from(labels.keys()).filter((index) => labels[index] === label))
  const { data, indexOf } = features === 1 ? distinctNumbers(samples) : { data: samples, indexOf: (at: number) => at }
  const valueIndex = Int32Array.from(order, indexOf)
  const signs = Int8Array.from(order, (index) => (labels[index] === 0 ? 1 : -1))
  const problem = { samples: { data, features }, valueIndex, signs, cost, gamma, cacheBytes }
  const { alpha, rho, steps } = solveDual(problem)

  const support = order.map((_, at) => at).filter((at) => alpha[at]! > 0)
  const vectors = Float64Array.from(support.flatMap((at) => [...rowAt(data, valueIndex[at]!, features)]))
  const coefficients = Float64Array.from(support, (at) => signs[at]! * alpha[at]!)

  function decisionFunction(query: Float64Array): number {
    let sum = 0
    for (let k = 0; k < coefficients.length; k++) {
      let square = 0
      for (let i = 0; i < features; i++) {
        const distance = query[i]! - vectors[k * features + i]!
        square += distance * distance
      }
      sum += coefficients[k]! * Math.exp(-gamma * square)
    }
    return sum - rho
  }

  const bySample = new Float64Array(labels.length)
  order.forEach((index, at) => {
    bySample[index] = alpha[at]!
  })
  return {
    decide: (queries) =>
      Uint8Array.from({ length: queries.length / features }, (_, at) =>
        decisionFunction(rowAt(queries, at, features)) > 0 ? 0 : 1,
      ),
    decisionFunction,
    alpha: bySample,
    rho,
    steps,
  }
}

const rowAt = (data: Float64Array, row: number, features: number) => data.subarray(row * features, (row + 1) * features)

/** Confidences are often equal: each value has one row of the kernel. */
function distinctNumbers(samples: Float64Array) {
  const data = Float64Array.from(new Set(samples)).sort()
  const places = new Map(Array.from(data, (value, index) => [value, index]))
  return { data, indexOf: (at: number) => places.get(samples[at]!)! }
}

function check({ samples, features, labels, cost, gamma }: SvcProblem & { features: number }) {
  const fail = (what: string): never => {
    throw new Error(`the SVC: ${what}`)
  }
  const count = samples.length / features
  if (!Number.isInteger(count)) fail(`expected ${features} numbers of each sample, got ${samples.length} in all`)
  if (labels.length !== count) fail(`expected a label for each of ${count} samples, got ${labels.length}`)
  const bad = samples.findIndex((sample) => !Number.isFinite(sample))
  if (bad >= 0) fail(`expected finite samples, got ${samples[bad]} (sample ${Math.floor(bad / features)})`)
  const unknown = labels.findIndex((label) => label > 1)
  if (unknown >= 0) fail(`expected labels 0 or 1, got ${labels[unknown]} (sample ${unknown})`)
  for (const label of [0, 1]) {
    if (!labels.includes(label)) fail(`expected samples of two classes, got none of class ${label}`)
  }
  if (!(cost > 0 && Number.isFinite(cost))) fail(`expected a cost above 0, got ${cost}`)
  if (!(gamma > 0 && Number.isFinite(gamma))) fail(`expected a gamma above 0, got ${gamma}`)
}
