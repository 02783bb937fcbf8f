/** Testing accuracy (Jia et al. 2023, https://arxiv.org/abs/2304.04934): how well the model generalises. */

import { answersOf, countCorrect } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'

export const ta = defineMetric({
  title: 'TA',
  definition:
    'Testing accuracy: accuracy on the test set, in percent; without the forgotten class if a class was to be forgotten.',
  unit: '%',
  named: 'ta/accuracy@1',
  version: 1,
  better: 'closer-to-retrain',
  compute(evidence) {
    const test = answersOf(evidence, 'test')
    return (100 * countCorrect(test)) / test.labels.length
  },
})
