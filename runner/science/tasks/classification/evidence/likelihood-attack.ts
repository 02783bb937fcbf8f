/** Attacks by likelihood ratio, example by example: one half of the models says how the margin of an example is spread on either side,
 *  and each model of the other half is put to the side that it is more likely of. Then the halves change places. No model is asked
 *  about itself; leaving out one at a time instead would judge equal models to be of the other side more often than not. */
import { MetricError } from '../../../metric.ts'
import type { Populations } from '../../../population.ts'
import { mean } from '../../../statistics.ts'
import { auc, shareAbove } from './separation.ts'
import { pairsOfRows, type Shadow } from './shadow.ts'

/** From the numbers of some models to ln of the density that they make likely. */
export type Density = (values: Float64Array) => (value: number) => number

export interface Attack extends Record<string, number> {
  /** In percent, over all examples and models of both sides; 50 where nothing tells them apart. */
  accuracy: number
  auc: number
  /** 100 × the share of unlearned models found where at most 1% of retrained ones are taken for such. */
  tpr: number
}

export const attackParts = {
  accuracy: { title: 'accuracy', unit: '%', ideal: 50, decimals: 1 },
  auc: { title: 'AUC', unit: '%', ideal: 50, decimals: 1 },
  tpr: { title: 'TPR at 1% FPR', unit: '%', ideal: 1, decimals: 1 },
}

export function attackOn(populations: Populations<Shadow>, density: Density): Attack {
  const { unlearned, retrained } = populations
  if (Math.min(unlearned.length, retrained.length) < 4)
    throw new MetricError(
      `expected at least 4 models a side to attack, got ${unlearned.length} unlearned and ${retrained.length} retrained`,
    )
  const rows = pairsOfRows(populations, 'forget')
  const folds = [0, 1].map((fold) => {
    const half = (values: Float64Array, of: number) => values.filter((_, model) => model % 2 === of)
    const scores: [own: number[], other: number[]] = [[], []]
    for (const [own, other] of rows) {
      const [likeUnlearned, likeRetrained] = [density(half(own, 1 - fold)), density(half(other, 1 - fold))]
      const score = (margin: number) => likeUnlearned(margin) - likeRetrained(margin)
      for (const margin of half(own, fold)) scores[0].push(score(margin))
      for (const margin of half(other, fold)) scores[1].push(score(margin))
    }
    return outcomeOf(Float64Array.from(scores[0]), Float64Array.from(scores[1]))
  })
  const over = (part: keyof Attack) => mean(folds.map((fold) => fold[part]!))
  return { accuracy: over('accuracy'), auc: over('auc'), tpr: over('tpr') }
}

function outcomeOf(unlearned: Float64Array, retrained: Float64Array): Attack {
  // What is as likely of both sides is half right.
  const rightly = (scores: Float64Array, sign: 1 | -1) =>
    scores.reduce((sum, score) => sum + (score === 0 ? 0.5 : Number(score * sign > 0)), 0) / scores.length
  return {
    accuracy: 50 * (rightly(unlearned, 1) + rightly(retrained, -1)),
    auc: auc(unlearned, retrained),
    tpr: shareAbove(unlearned, retrained, 1),
  }
}

/** Of variances, so that margins that are all the same have a density. */
const TINY = 1e-30

/** The normal law with the mean and the standard deviation of the values (divisor n). */
export const normalDensity: Density = (values) => {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length + TINY
  const constant = -0.5 * Math.log(2 * Math.PI * variance)
  return (value) => constant - (value - centre) ** 2 / (2 * variance)
}

/** The mean of normal laws around each of the values. */
export const kernelDensity =
  (bandwidthOf: (values: Float64Array) => number): Density =>
  (values) => {
    const bandwidth = bandwidthOf(values)
    const constant = -Math.log(values.length * bandwidth * Math.sqrt(2 * Math.PI))
    return (value) => {
      const power = (each: number) => -(((value - each) / bandwidth) ** 2) / 2
      let most = Number.NEGATIVE_INFINITY
      for (const each of values) most = Math.max(most, power(each))
      let total = 0
      for (const each of values) total += Math.exp(power(each) - most)
      return constant + most + Math.log(total)
    }
  }

/** Scott's rule: the standard deviation (n - 1) times n^(-1/5). */
export function scottBandwidth(values: Float64Array): number {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) + TINY) * values.length ** -0.2
}
