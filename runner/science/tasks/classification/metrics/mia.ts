/** Membership inference by confidence (Jia et al. 2023, https://arxiv.org/abs/2304.04934; Fan et al. 2024,
 *  https://arxiv.org/abs/2310.12508): a support vector classifier learns to tell retained examples from test examples by one
 *  number, the softmax probability of the true class; the value is the share of D_f that it takes for never seen. */

import { answersOf, confidencesOf } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'

/** Penalty of the classifier. */
const COST = 3
/** Of its RBF kernel: 1 / (number of features), scikit-learn's `auto`. */
const GAMMA = 1

export const mia = defineMetric({
  title: 'MIA',
  definition:
    'Membership inference efficacy: 100 × the share of the forget set that an SVC (RBF, C = 3, gamma = 1) on the confidence in the true class takes for non-members, fitted on the first |test| retained examples against the test set.',
  unit: '%',
  named: 'mia/svc-confidence@1',
  version: 1,
  better: 'closer-to-retrain',
  warning(evidence) {
    const [members, nonMembers] = [answersOf(evidence, 'retain'), answersOf(evidence, 'test')].map(
      ({ labels }) => labels.length,
    ) as [number, number]
    return members < nonMembers
      ? `the retain set has ${members} examples and the test set ${nonMembers}: the SVC is fitted on classes of unequal size`
      : null
  },
  async compute(evidence, { fitSvc }) {
    const queries = confidencesOf(answersOf(evidence, 'forget'))
    const nonMembers = confidencesOf(answersOf(evidence, 'test'))
    // The first |test| of D_r in dataset order; where D_r is smaller, all of it, and the two classes are then unequal.
    const members = confidencesOf(answersOf(evidence, 'retain')).subarray(0, nonMembers.length)
    const samples = new Float64Array(members.length + nonMembers.length)
    samples.set(members)
    samples.set(nonMembers, members.length)
    const labels = new Uint8Array(samples.length).fill(1, 0, members.length)
    const decisions = await fitSvc({ samples, labels, cost: COST, gamma: GAMMA, queries })
    return (100 * decisions.filter((decision) => decision === 0).length) / queries.length
  },
})
