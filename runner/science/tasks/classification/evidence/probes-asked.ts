/** What the probes of a stage must leave, and what of it follows from the answers beside them. */
import { type Probes, probesOf } from '../../../../../schema/parts/probes.ts'
import { forgottenClasses } from '../../../../../schema/parts/request.ts'
import type { AskedEvidence, TensorShapes } from '../../../task.ts'
import { answersOf, countCorrect, firstOf } from './answers.ts'
import type { Evidence } from './evidence.ts'
import { foldsOf, pairsPerClass } from './pairs.ts'

type Stage = AskedEvidence['stage']

export function probesAsked(stage: Stage, { classes, test }: { classes: number; test: number }): TensorShapes {
  const { relearn, linear } = probesOf(stage)
  const whole = forgottenClasses(stage.request).length > 0
  return {
    ...(relearn && {
      'relearn.curve': { dtype: 'F32', shape: [relearn.steps / relearn.every + 1, 3] } as const,
    }),
    ...(linear && whole && { 'probe.logits': { dtype: 'F32', shape: [test, classes] } as const }),
    // How many pairs there are depends on the labels of D_f.
    ...(linear &&
      !whole && {
        'membership.scores': { dtype: 'F32', shape: [null, 2] } as const,
        'membership.folds': { dtype: 'U8', shape: [null] } as const,
      }),
  }
}

/** Why these cannot be the probes of the stage; null where they may well be. */
export function probesObjection(evidence: Evidence, stage: Stage): string | null {
  const { relearn, linear } = probesOf(stage)
  const { curve, membership } = evidence.probed ?? {}
  return (
    (relearn && curve ? curveObjection(curve, relearn, evidence) : null) ??
    (linear && membership ? pairsObjection(membership, linear, evidence) : null)
  )
}

/** The first look is at the answers that lie beside it. */
function curveObjection(
  curve: Float32Array,
  { every }: NonNullable<Probes['relearn']>,
  evidence: Evidence,
): string | null {
  const forget = answersOf(evidence, 'forget')
  const test = firstOf(answersOf(evidence, 'test'), forget.labels.length)
  const right = [countCorrect(forget), countCorrect(test)]
  const most = [forget.labels.length, test.labels.length]
  for (let look = 0; look < curve.length / 3; look++) {
    const [step, ...counts] = curve.subarray(3 * look, 3 * look + 3)
    if (step !== look * every) return `expected a look after ${look * every} steps of relearning, got one after ${step}`
    for (const [i, of] of ['the forget set', 'the test set'].entries()) {
      const count = counts[i]!
      if (!Number.isInteger(count) || count < 0 || count > most[i]!)
        return `expected from 0 to ${most[i]} of ${of} to be right after ${step} steps of relearning, got ${count}`
      if (look === 0 && count !== right[i])
        return `expected ${right[i]} of ${of} to be right before relearning, as its answers are, got ${count}`
    }
  }
  return null
}

function pairsObjection(
  { folds, scores }: NonNullable<NonNullable<Evidence['probed']>['membership']>,
  { images }: NonNullable<Probes['linear']>,
  { forget, test, classes }: Evidence,
): string | null {
  const pairs = pairsPerClass({ forget: forget.labels, test: test.labels, classes }, images).reduce((a, b) => a + b, 0)
  if (scores.length !== 2 * pairs) return `expected ${pairs} pairs in the probe of membership, got ${scores.length / 2}`
  const expected = foldsOf(pairs)
  const other = expected.findIndex((fold, pair) => fold !== folds[pair])
  return other < 0
    ? null
    : `expected pair ${other} of the probe of membership in fold ${expected[other]}, got ${folds[other]}`
}
