/** A support vector classifier (C-SVC, RBF kernel) on one feature, which decides as scikit-learn's SVC does. */
import { solveDual } from './smo.ts'

export interface SvcProblem {
  /** One feature per sample. */
  samples: Float64Array
  /** 1 or 0 for each; both occur. */
  labels: Uint8Array
  /** C. */
  cost: number
  /** Of the kernel exp(-gamma (a - b)^2). */
  gamma: number
  /** What kernel rows may take. Changes the time, never a decision: 8 MB instead of 200 cost 20,000 samples a tenth. */
  cacheBytes?: number
}

export interface Svc {
  /** The class of each query, 1 or 0. */
  decide(queries: Float64Array): Uint8Array
  /** Above zero for class 0. */
  decisionFunction(query: number): number
  /** Of each sample. */
  alpha: Float64Array
  rho: number
  /** Pairs that were optimized. */
  steps: number
}

export function trainSvc({ samples, labels, cost, gamma, cacheBytes = 2 ** 25 }: SvcProblem): Svc {
  check({ samples, labels, cost, gamma })
  // Class 0 first, as scikit-learn sorts classes, and it is the positive one.
  const order = [0, 1].flatMap((label) => Array.from(samples.keys()).filter((index) => labels[index] === label))
  const values = Float64Array.from(new Set(samples)).sort()
  const indexOf = new Map(Array.from(values, (value, index) => [value, index]))
  const valueIndex = Int32Array.from(order, (index) => indexOf.get(samples[index]!)!)
  const signs = Int8Array.from(order, (index) => (labels[index] === 0 ? 1 : -1))
  const { alpha, rho, steps } = solveDual({ values, valueIndex, signs, cost, gamma, cacheBytes })

  const support = order.map((_, at) => at).filter((at) => alpha[at]! > 0)
  const vectors = Float64Array.from(support, (at) => values[valueIndex[at]!]!)
  const coefficients = Float64Array.from(support, (at) => signs[at]! * alpha[at]!)

  function decisionFunction(query: number): number {
    let sum = 0
    for (let k = 0; k < vectors.length; k++) {
      const distance = query - vectors[k]!
      sum += coefficients[k]! * Math.exp(-gamma * (distance * distance))
    }
    return sum - rho
  }

  const bySample = new Float64Array(samples.length)
  order.forEach((index, at) => {
    bySample[index] = alpha[at]!
  })
  return {
    decide: (queries) => Uint8Array.from(queries, (query) => (decisionFunction(query) > 0 ? 0 : 1)),
    decisionFunction,
    alpha: bySample,
    rho,
    steps,
  }
}

function check({ samples, labels, cost, gamma }: SvcProblem) {
  const fail = (what: string): never => {
    throw new Error(`the SVC: ${what}`)
  }
  if (labels.length !== samples.length)
    fail(`expected a label for each of ${samples.length} samples, got ${labels.length}`)
  const bad = samples.findIndex((sample) => !Number.isFinite(sample))
  if (bad >= 0) fail(`expected finite samples, got ${samples[bad]} (sample ${bad})`)
  const unknown = labels.findIndex((label) => label > 1)
  if (unknown >= 0) fail(`expected labels 0 or 1, got ${labels[unknown]} (sample ${unknown})`)
  for (const label of [0, 1]) {
    if (!labels.includes(label)) fail(`expected samples of two classes, got none of class ${label}`)
  }
  if (!(cost > 0 && Number.isFinite(cost))) fail(`expected a cost above 0, got ${cost}`)
  if (!(gamma > 0 && Number.isFinite(gamma))) fail(`expected a gamma above 0, got ${gamma}`)
}
