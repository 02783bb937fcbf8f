/** Inception Score (Salimans et al. 2016, https://arxiv.org/abs/1606.03498): exp of the mean KL divergence of p(y|x) from p(y). It
 *  is large when each image is clearly of one class and all classes occur. */
import { MetricError } from '../metric.ts'

/** Parts, in the order of the images, whose scores are averaged. */
export const SPLITS = 10

export interface Score {
  /** Mean over the parts. */
  value: number
  /** Standard deviation over the parts (divisor n, as in the reference). */
  sd: number
}

/** `logits` is [n, classes]. */
export function inceptionScore(logits: Float32Array, classes: number): Score {
  const count = logits.length / classes
  if (count < SPLITS) throw new MetricError(`the Inception Score needs at least ${SPLITS} images, got ${count}`)
  const scores = Array.from({ length: SPLITS }, (_, part) =>
    scoreOf(logits, classes, Math.floor((part * count) / SPLITS), Math.floor(((part + 1) * count) / SPLITS)),
  )
  const value = scores.reduce((sum, score) => sum + score, 0) / SPLITS
  return { value, sd: Math.sqrt(scores.reduce((sum, score) => sum + (score - value) ** 2, 0) / SPLITS) }
}

/** Of the images [first, end): the mean over images of Σ p log p, less Σ q log q of their mean q. */
function scoreOf(logits: Float32Array, classes: number, first: number, end: number): number {
  const mean = new Float64Array(classes)
  let certainty = 0
  for (let image = first; image < end; image++) {
    const row = Float64Array.from(logits.subarray(image * classes, (image + 1) * classes))
    const largest = row.reduce((a, b) => Math.max(a, b))
    const offset = largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0))
    for (let label = 0; label < classes; label++) {
      const log = row[label]! - offset
      const probability = Math.exp(log)
      certainty += (probability * log) / (end - first)
      mean[label]! += probability / (end - first)
    }
  }
  const variety = mean.reduce((sum, q) => (q > 0 ? sum + q * Math.log(q) : sum), 0)
  return Math.exp(certainty - variety)
}
