/** What KLOM (https://arxiv.org/abs/2410.23232) asks, for few models: with less than about a hundred a side, KLOM finds two groups of
 *  equal models as different as can be. */

import { pairOf } from '../evidence/against.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { shiftOf } from '../evidence/separation.ts'
import { marginsOf } from '../evidence/uncertainty.ts'

export const marginShift = defineMetric({
  title: 'Margin shift',
  definition:
    '|mean margin − retrain’s mean margin| over the forget set, in units of their pooled standard deviation over examples (n − 1 each); the margin is z of the true class − ln Σ exp z of the others. 0 is retrain itself.',
  unit: 'sd',
  decimals: 3,
  named: 'margin-shift/pooled-sd@1',
  version: 1,
  better: 'smaller',
  against: 'retain',
  compute(evidence, _tools, reference) {
    const [own, retrained] = pairOf(evidence, reference, 'forget')
    return Math.abs(shiftOf(marginsOf(own), marginsOf(retrained)))
  },
})
