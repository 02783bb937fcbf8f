/** What was tried on a model after its answers: training on D_f again, and classifiers on its frozen features. */
import type { AskedProbes } from '../../../../../schema/parts/probes.ts'
import { forgottenClasses } from '../../../../../schema/parts/request.ts'
import { type MetricDefinition, MetricError } from '../../../metric.ts'
import { answersAmong } from './answers.ts'
import { type Answers, type Evidence, forgottenOf } from './evidence.ts'

/** All that is there was asked for by the benchmark. */
export interface Probed {
  /** [points, 3]: steps of training on D_f, how many of D_f were then right, and how many of the first test images, without forgotten
   *  classes and no more than D_f has. */
  curve?: Float32Array
  /** [test, classes]: logits of the classifier of classes on frozen features, for each test example. */
  logits?: Float32Array
  membership?: Membership
}

/** Pairs of a forgotten and a test example of one class, each with the score of a classifier that saw neither: above 0 it takes the
 *  example for a forgotten one. */
export interface Membership {
  /** [pairs, 2] */
  scores: Float32Array
  /** By which of the classifiers the pair was held out. */
  folds: ArrayLike<number>
}

/** One look at the model while it learns D_f again. */
export interface Look {
  step: number
  /** Of D_f and of the test set, from 0 to 1. */
  forget: number
}

/** The curve, checked. */
export function looksOf({ probed, forget }: Evidence): Look[] {
  const { curve } = probed ?? {}
  if (!curve)
    throw new MetricError('expected the curve of learning D_f again, got none; the benchmark asks for no "relearn"')
  const count = forget.labels.length
  const looks = Array.from({ length: curve.length / 3 }, (_, i) => {
    const [step, right] = [curve[3 * i]!, curve[3 * i + 1]!]
    return { step, forget: right / count }
  })
  const bad = looks.findIndex(({ step, forget }, i) => {
    const follows = i === 0 ? step === 0 : step > looks[i - 1]!.step
    return !(follows && forget >= 0 && forget <= 1)
  })
  if (bad >= 0 || looks.length < 2 || count === 0)
    throw new MetricError(
      `the curve of learning D_f again: expected steps that rise from 0 with at most ${count} right, got another thing${bad >= 0 ? ` in row ${bad}` : ''}`,
    )
  return looks
}

/** What the classifier on frozen features says of test examples of the forgotten classes. */
export function recoveredOf(evidence: Evidence): Answers {
  const { probed, test } = evidence
  if (!probed?.logits)
    throw new MetricError(
      'expected logits of a probe of classes, got none; the benchmark asks for no "linear", or forgets no class',
    )
  const recovered = answersAmong({ logits: probed.logits, labels: test.labels }, forgottenOf(evidence))
  if (recovered.labels.length > 0) return recovered
  throw new MetricError('expected test examples of a forgotten class, got none')
}

export function membershipOf({ probed }: Evidence): Membership {
  const { membership } = probed ?? {}
  if (!membership)
    throw new MetricError(
      'expected scores of a probe of membership, got none; the benchmark asks for no "linear", or forgets a class',
    )
  const parts = new Set(Array.from(membership.folds)).size
  if (parts > 1) return membership
  throw new MetricError(`expected pairs of forgotten and test examples in at least 2 parts, got ${parts}`)
}

type Lacks = NonNullable<MetricDefinition['lacks']>

const lacksProbe =
  (probe: keyof AskedProbes): Lacks =>
  ({ task }) =>
    (task.probes as AskedProbes | undefined)?.[probe]
      ? null
      : `needs "${probe}": {} in the "probes" of the benchmark's "task": { "id": "classification", "probes": { "${probe}": {} } }`

export const lacksRelearning = lacksProbe('relearn')

/** The probe of classes is for requests that forget some whole, the one of membership for all others. */
export const lacksLinear =
  (of: 'classes' | 'membership'): Lacks =>
  (benchmark) => {
    const whole = forgottenClasses(benchmark.request).length > 0
    if (of === 'classes' && !whole)
      return 'asks what is left of a class that is forgotten whole; this benchmark forgets none: name membership-probe/auc@1'
    if (of === 'membership' && whole)
      return 'tells forgotten examples from test examples, and of a class that is forgotten whole nothing else was learned: name linear-probe/class@1'
    return lacksProbe('linear')(benchmark)
  }
