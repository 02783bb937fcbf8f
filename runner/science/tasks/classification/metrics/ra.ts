/** Remaining accuracy (Jia et al. 2023, https://arxiv.org/abs/2304.04934): what the model still knows of what it kept. */

import { answersOf, countCorrect } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'

export const ra = defineMetric({
  title: 'RA',
  definition: 'Remaining accuracy: accuracy on the retain set, in percent.',
  unit: '%',
  named: 'ra/accuracy@1',
  version: 1,
  better: 'closer-to-retrain',
  compute(evidence) {
    const retain = answersOf(evidence, 'retain')
    return (100 * countCorrect(retain)) / retain.labels.length
  },
})
