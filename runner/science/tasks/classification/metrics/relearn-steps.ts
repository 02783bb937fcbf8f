/** Relearn time (Golatkar et al. 2020, https://arxiv.org/abs/1911.04933; Tarun et al. 2021, https://arxiv.org/abs/2111.08947): what was
 *  only hidden comes back sooner than it is learned anew. They stop near the accuracy of the original, which is not at hand here. */

import { defineMetric } from '../evidence/evidence.ts'
import { lacksRelearning, looksOf } from '../evidence/probed.ts'

/** Accuracy on D_f that counts as back. */
const BACK = 0.95

export const relearnSteps = defineMetric({
  title: 'Relearn',
  definition:
    'Relearn time: after how many steps of training on the forget set, at the constant rate that the benchmark states, accuracy on it is first seen to be 95% or more; all steps where it never is. To be read beside retrain’s, which has never seen these examples.',
  unit: 'steps',
  named: 'relearn/steps-95@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  lacks: lacksRelearning,
  identity(evidence) {
    looksOf(evidence)
    return this.named
  },
  warning(evidence) {
    const looks = looksOf(evidence)
    if (looks.some(({ forget }) => forget >= BACK)) return null
    const last = looks.at(-1)!
    return `accuracy on the forget set did not come to 95% within ${last.step} steps (it ended at ${(100 * last.forget).toFixed(1)}%), which count as its relearn time`
  },
  compute(evidence) {
    const looks = looksOf(evidence)
    return (looks.find(({ forget }) => forget >= BACK) ?? looks.at(-1)!).step
  },
})
