/** Membership inference by confidence (Jia et al. 2023, https://arxiv.org/abs/2304.04934; Fan et al. 2024,
 *  https://arxiv.org/abs/2310.12508): a support vector classifier learns to tell retained examples from test examples by one
 *  number, the softmax probability of the true class; the value is the share of D_f that it takes for never seen. */

import { answersOf, confidencesOf, firstOf } from '../evidence/answers.ts'
import { type Answers, defineMetric, type Evidence } from '../evidence/evidence.ts'

/** Penalty of the classifier. */
const COST = 3

type Compute = Parameters<typeof defineMetric>[0]['compute']

/** What the attack looks at, so many numbers of each example. */
type Feature = (answers: Answers) => Float64Array

/** 100 × the share of D_f that the attack takes for never seen, by whichever features. */
export const takenForNonMembers =
  (feature: Feature): Compute =>
  async (evidence, tools) => {
    const decisions = await decisionsOf(evidence, tools, feature)
    return (100 * decisions.filter((decision) => decision === 0).length) / decisions.length
  }

/** What the attack takes each example of D_f for: 1 for a member, 0 for never seen. */
export async function decisionsOf(
  evidence: Evidence,
  { fitSvc }: Pick<Parameters<Compute>[1], 'fitSvc'>,
  feature: Feature = confidencesOf,
): Promise<Uint8Array> {
  const queries = feature(answersOf(evidence, 'forget'))
  const test = answersOf(evidence, 'test')
  const count = test.labels.length
  const nonMembers = feature(test)
  // The first |test| of D_r in dataset order; where D_r is smaller, all of it, and the two classes are then unequal.
  const members = feature(firstOf(answersOf(evidence, 'retain'), count))
  const samples = new Float64Array(members.length + nonMembers.length)
  samples.set(members)
  samples.set(nonMembers, members.length)
  const features = nonMembers.length / count
  const labels = new Uint8Array(samples.length / features).fill(1, 0, members.length / features)
  // Of its RBF kernel: 1 / (number of features), scikit-learn's `auto`.
  return fitSvc({ samples, features, labels, cost: COST, gamma: 1 / features, queries })
}

export function unequalClasses(evidence: Evidence): string | null {
  const members = answersOf(evidence, 'retain').labels.length
  const nonMembers = answersOf(evidence, 'test').labels.length
  if (members >= nonMembers) return null
  return `the retain set has ${members} examples and the test set ${nonMembers}: the SVC is fitted on classes of unequal size`
}

export const mia = defineMetric({
  title: 'MIA',
  definition:
    'Membership inference efficacy: 100 × the share of the forget set that an SVC (RBF, C = 3, gamma = 1) on the confidence in the true class takes for non-members, fitted on the first |test| retained examples against the test set.',
  unit: '%',
  named: 'mia/svc-confidence@1',
  version: 1,
  better: 'closer-to-retrain',
  warning: unequalClasses,
  compute: takenForNonMembers(confidencesOf),
})
