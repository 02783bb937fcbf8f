/** Completeness (Cao & Yang 2015, https://doi.org/10.1109/SP.2015.35): how often the model answers on D_f as retrain does, be it right
 *  or wrong. */

import { pairOf } from '../evidence/against.ts'
import { argmax } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'

export const completeness = defineMetric({
  title: 'Completeness',
  definition:
    '100 × the share of the forget set on which the answer is that of retrain, right or wrong. 100 is retrain itself.',
  unit: '%',
  named: 'completeness/argmax@1',
  version: 1,
  better: 'larger',
  against: 'retain',
  compute(evidence, _tools, reference) {
    const [own, retrained] = pairOf(evidence, reference, 'forget')
    const same = own.labels.filter((_, example) => argmax(own, example) === argmax(retrained, example))
    return (100 * same.length) / own.labels.length
  },
})
