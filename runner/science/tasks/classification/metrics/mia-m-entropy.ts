/** MIA by modified entropy (Song & Mittal 2021, https://arxiv.org/abs/2003.10595), which tells sure and right from sure and wrong.
 *  By its formula: released code of unlearning computes another number, which is `mia-m-entropy-released`. */

import { defineMetric } from '../evidence/evidence.ts'
import { modifiedEntropiesOf } from '../evidence/uncertainty.ts'
import { takenForNonMembers, unequalClasses } from './mia.ts'

export const miaMEntropy = defineMetric({
  title: 'MIA (m-entropy)',
  definition:
    'MIA by another number: 100 × the share of the forget set that the same SVC takes for non-members by the modified entropy −(1 − pᵧ) ln pᵧ − Σ p ln(1 − p) over the other classes.',
  unit: '%',
  named: 'mia/svc-m-entropy@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  warning: unequalClasses,
  compute: takenForNonMembers(modifiedEntropiesOf),
})
