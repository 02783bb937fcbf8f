/** A model's answers beside those of the retrained model to the same examples. */
import { MetricError } from '../../../metric.ts'
import { answersOf, countCorrect, setNames } from './answers.ts'
import type { Answers, Evidence } from './evidence.ts'

/** One set of both, checked: the same examples in the same order, as far as labels can tell. */
export function pairOf(
  evidence: Evidence,
  reference: Evidence | undefined,
  set: keyof typeof setNames,
): [own: Answers, retrained: Answers] {
  if (!reference) throw new MetricError('expected the evidence of a retrained model beside that of the model, got none')
  const [own, retrained] = [answersOf(evidence, set), answersOf(reference, set)]
  const fail = (what: string): never => {
    throw new MetricError(`${setNames[set]}: expected the examples of the retrained model, ${what}`)
  }
  if (evidence.classes !== reference.classes) fail(`of ${reference.classes} classes, got ${evidence.classes}`)
  const [count, expected] = [own.labels.length, retrained.labels.length]
  if (count !== expected) fail(`${expected} of them, got ${count}`)
  const other = own.labels.findIndex((label, example) => label !== retrained.labels[example])
  if (other >= 0) fail(`got label ${own.labels[other]} where it has ${retrained.labels[other]} (example ${other})`)
  return [own, retrained]
}

/** 1 - |accuracy - retrain's accuracy| on a set, from 0 to 1. */
export function closenessOf(evidence: Evidence, reference: Evidence | undefined, set: keyof typeof setNames): number {
  const [own, retrained] = pairOf(evidence, reference, set)
  return 1 - Math.abs(countCorrect(own) - countCorrect(retrained)) / own.labels.length
}

/** Mean over the examples of D_f of what a row of softmax answers and retrain's row have between them. */
export function meanOver(
  [own, retrained]: [Float64Array, Float64Array],
  classes: number,
  between: (p: Float64Array, q: Float64Array) => number,
): number {
  const count = own.length / classes
  let total = 0
  for (let example = 0; example < count; example++) {
    const [from, to] = [example * classes, (example + 1) * classes]
    total += between(own.subarray(from, to), retrained.subarray(from, to))
  }
  return total / count
}
