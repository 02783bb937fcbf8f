/** What the evidence of a classifier must be, by what its stage asks for. */
import { forgottenClasses } from '../../../../../schema/parts/request.ts'
import { splitCounts } from '../../../../../schema/parts/split-counts.ts'
import { labelType } from '../../../../formats/labels.ts'
import { type Asked, type AskedEvidence, EVIDENCE, type TensorShapes } from '../../../task.ts'
import { answersOf, setNames } from './answers.ts'
import { type Evidence, forgottenOf } from './evidence.ts'
import { countsOf } from './pairs.ts'
import { probesAsked, probesObjection } from './probes-asked.ts'

/** Answers for every example of D_f, D_r and the test set, and what the probes found. */
export function answersAsked({ stage, data }: Asked): Record<string, TensorShapes> {
  if (stage.kind !== 'evaluate') return {}
  const classes = data.classes.length
  const counts = { ...splitCounts({ train: data.train, classes }, stage), test: data.test }
  const tensors = (Object.keys(setNames) as (keyof typeof setNames)[]).flatMap((set) => [
    [`${set}.logits`, { dtype: 'F32', shape: [counts[set], classes] }] as const,
    [`${set}.labels`, { dtype: labelType(classes), shape: [counts[set]] }] as const,
  ])
  return { [EVIDENCE]: { ...Object.fromEntries(tensors), ...probesAsked(stage, { classes, test: data.test }) } }
}

/** Labels are facts of the dataset and of the request: every class has as many. Throws MetricError for answers that are none. */
export function answersObjection(evidence: Evidence, { stage, data }: AskedEvidence): string | null {
  const { request, holdOut } = stage
  const classes = data.classes.length
  const forgotten = forgottenClasses(request)
  if (evidence.classes !== classes) return `expected ${classes} classes, got ${evidence.classes}`
  if (forgottenOf(evidence).join() !== forgotten.join()) {
    const words = (labels: readonly number[]) => (labels.length > 0 ? labels.join() : 'none')
    return `expected ${words(forgotten)} as the forgotten class, got ${words(forgottenOf(evidence))}`
  }
  for (const set of ['forget', 'retain', 'test'] as const) answersOf(evidence, set)
  const perClass = splitCounts({ train: data.train, classes }, { holdOut, request }).all / classes
  const forget = countsOf(evidence.forget.labels, classes)
  const retain = countsOf(evidence.retain.labels, classes)
  const test = countsOf(evidence.test.labels, classes)
  for (const label of data.classes.keys()) {
    const [trained, tested] = [forget[label]! + retain[label]!, test[label]!]
    if (trained !== perClass) return `expected ${perClass} training examples of class ${label}, got ${trained}`
    if (tested !== data.test / classes) {
      return `expected ${data.test / classes} test examples of class ${label}, got ${tested}`
    }
  }
  const strange = probesObjection(evidence, stage)
  if (strange !== null) return strange
  const kept = forgotten.find((label) => retain[label]! > 0)
  if (kept !== undefined) return `expected no example of class ${kept} in the retain set, got ${retain[kept]}`
  if (request.kind !== 'part') return null
  const other = data.classes.findIndex((_, label) => label !== request.label && forget[label]! > 0)
  if (other >= 0) {
    return `expected examples of class ${request.label} only in the forget set, got ${forget[other]} of class ${other}`
  }
  return null
}
