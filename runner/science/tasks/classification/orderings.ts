/** What examples can be put in order by, a number each: how well a model knows them. Pure. */
import { answersOf } from './evidence/answers.ts'
import type { Answers, Evidence } from './evidence/evidence.ts'

type Value = (logits: Float32Array, label: number) => number

/** Of the true class against all, in double precision: ln Σ exp(z) − z_y. */
const loss: Value = (logits, label) => {
  const largest = logits.reduce((a, b) => Math.max(a, b))
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)
  return largest - logits[label]! + Math.log(total)
}

/** z_y − the largest other logit; below 0 where the answer is wrong. */
const margin: Value = (logits, label) =>
  logits.reduce((least, logit, other) => (other === label ? least : Math.min(least, logits[label]! - logit)), Infinity)

/** Softmax probability of the true class. */
const confidence: Value = (logits, label) => Math.exp(-loss(logits, label))

const ofRows =
  (value: Value) =>
  (evidence: Evidence, set: 'forget' | 'retain'): Float64Array => {
    const { logits, labels }: Answers = answersOf(evidence, set)
    const { classes } = evidence
    return Float64Array.from(labels, (label, row) => value(logits.subarray(row * classes, (row + 1) * classes), label))
  }

/** By the name of the number: one for each row of a set. */
export const orderings = { loss: ofRows(loss), margin: ofRows(margin), confidence: ofRows(confidence) }
