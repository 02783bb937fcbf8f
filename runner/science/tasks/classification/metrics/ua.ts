/** Unlearning accuracy (Jia et al. 2023, https://arxiv.org/abs/2304.04934): how often the model errs on what it forgot. */

import { answersOf, countCorrect } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'

export const ua = defineMetric({
  title: 'UA',
  definition: 'Unlearning accuracy: 100 − accuracy on the forget set, in percent.',
  unit: '%',
  named: 'ua/accuracy@1',
  version: 1,
  better: 'closer-to-retrain',
  compute(evidence) {
    const forget = answersOf(evidence, 'forget')
    return (100 * (forget.labels.length - countCorrect(forget))) / forget.labels.length
  },
})
