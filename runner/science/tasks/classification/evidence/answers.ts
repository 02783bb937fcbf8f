/** What metrics ask of a model's answers. Pure, so that the worker can re-score evidence. */
import { labelsOf } from '../../../../formats/labels.ts'
import { MetricError } from '../../../metric.ts'
import { type Answers, type Evidence, forgottenOf } from './evidence.ts'

/** D_f, D_r and the test set by the names that errors use. */
export const setNames = { forget: 'the forget set', retain: 'the retain set', test: 'the test set' } as const

/** One set of the evidence, checked: not empty, one finite logit a class, every label a class. `test` comes without the
 *  examples of forgotten classes. */
export function answersOf(evidence: Evidence, set: keyof typeof setNames): Answers {
  const { classes } = evidence
  const forgotten = forgottenOf(evidence)
  const { logits, labels } = evidence[set]
  const fail = (what: string): never => {
    throw new MetricError(`${setNames[set]}: ${what}`)
  }
  const strange = forgotten.find((label) => label >= classes)
  if (strange !== undefined) throw new MetricError(`expected a forgotten class below ${classes}, got ${strange}`)
  if (logits.length !== labels.length * classes) {
    fail(`expected ${labels.length} x ${classes} logits, got ${logits.length}`)
  }
  const bad = labels.findIndex((label) => label >= classes)
  if (bad >= 0) fail(`expected labels below ${classes}, got ${labels[bad]} (example ${bad})`)
  const infinite = logits.findIndex((logit) => !Number.isFinite(logit))
  if (infinite >= 0) {
    fail(
      `expected finite logits, got ${logits[infinite]} (example ${Math.floor(infinite / classes)}); the weights diverged`,
    )
  }
  const answers = set === 'test' && forgotten.length > 0 ? answersWithout(evidence.test, forgotten) : { logits, labels }
  if (answers.labels.length === 0) fail('expected at least one example, got none')
  if (areProbabilities(answers.logits, classes)) {
    fail(
      'these are probabilities; expected logits: every row is of numbers from 0 that sum to 1; leave the softmax out',
    )
  }
  return answers
}

/** Whether every row looks like an answer after softmax: from 0 on, with a sum within 1e-3 of 1. Rows of logits end the search, as a
 *  rule the first. */
function areProbabilities(logits: Float32Array, classes: number): boolean {
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes)
    const total = row.reduce((sum, value) => sum + value, 0)
    if (Math.abs(total - 1) > 1e-3 || row.some((value) => value < 0)) return false
  }
  return logits.length > 0
}

/** The examples of all other classes. */
export const answersWithout = (answers: Answers, labels: readonly number[]): Answers =>
  chosenOf(answers, (label) => !labels.includes(label))

/** The examples of these classes. */
export const answersAmong = (answers: Answers, labels: readonly number[]): Answers =>
  chosenOf(answers, (label) => labels.includes(label))

function chosenOf({ logits, labels }: Answers, isChosen: (label: number) => boolean): Answers {
  const classes = logits.length / labels.length
  const kept = Array.from(labels.keys()).filter((example) => isChosen(labels[example]!))
  const keptLogits = new Float32Array(kept.length * classes)
  kept.forEach((example, row) => {
    keptLogits.set(logits.subarray(example * classes, (example + 1) * classes), row * classes)
  })
  return { logits: keptLogits, labels: labelsOf(labels, kept) }
}

/** The class with the largest logit of an example; of equal logits the first counts. */
export function argmax({ logits, labels }: Answers, example: number): number {
  const classes = logits.length / labels.length
  let best = 0
  for (let label = 1; label < classes; label++) {
    if (logits[example * classes + label]! > logits[example * classes + best]!) best = label
  }
  return best
}

/** The first examples of a set, as many as there are up to a number. */
export const firstOf = ({ logits, labels }: Answers, count: number): Answers => ({
  logits: logits.subarray(0, (count * logits.length) / labels.length),
  labels: labels.subarray(0, count),
})

/** How many examples have their largest logit at their true class. */
export function countCorrect(answers: Answers): number {
  let correct = 0
  for (let example = 0; example < answers.labels.length; example++) {
    if (argmax(answers, example) === answers.labels[example]) correct++
  }
  return correct
}

/** Softmax probability of each example's true class. Computed in double precision with the largest logit subtracted, then
 *  rounded to float32, which is the precision that reference implementations hand to the attack. */
export function confidencesOf({ logits, labels }: Answers): Float64Array {
  const classes = logits.length / labels.length
  return Float64Array.from(labels, (label, example) => {
    const row = logits.subarray(example * classes, (example + 1) * classes)
    const largest = row.reduce((a, b) => Math.max(a, b))
    const total = row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)
    return Math.fround(Math.exp(row[label]! - largest) / total)
  })
}

/** The same with every step in float32, as PyTorch takes it: largest logit subtracted, exp, sum in the order of the classes,
 *  quotient. The last bits of PyTorch's own depend on its vector width: most are these, the others a few steps of float32 away. */
export function float32ConfidencesOf({ logits, labels }: Answers): Float64Array {
  const classes = logits.length / labels.length
  return Float64Array.from(labels, (label, example) => {
    const row = logits.subarray(example * classes, (example + 1) * classes)
    const largest = row.reduce((a, b) => Math.max(a, b))
    // A Float32Array rounds what it is given, as Math.fround does.
    const powers = row.map((logit) => Math.exp(Math.fround(logit - largest)))
    const total = powers.reduce((sum, power) => Math.fround(sum + power), 0)
    return Math.fround(powers[label]! / total)
  })
}
