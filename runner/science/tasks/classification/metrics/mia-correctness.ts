/** MIA by correctness, of the family that SVC_MIA of the reference code computes: what is answered right is taken for a member. */

import { defineMetric } from '../evidence/evidence.ts'
import { correctnessOf } from '../evidence/uncertainty.ts'
import { takenForNonMembers, unequalClasses } from './mia.ts'

export const miaCorrectness = defineMetric({
  title: 'MIA (correctness)',
  definition:
    'MIA by another number: 100 × the share of the forget set that the same SVC takes for non-members by whether the answer is right, 1 or 0.',
  unit: '%',
  named: 'mia/svc-correctness@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  warning: unequalClasses,
  compute: takenForNonMembers(correctnessOf),
})
