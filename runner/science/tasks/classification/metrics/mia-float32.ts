/** MIA as reference implementations compute it: the softmax is taken in float32, where `mia` takes it in double precision and
 *  rounds once. A decision near the border may differ. */

import { float32ConfidencesOf } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { takenForNonMembers, unequalClasses } from './mia.ts'

export const miaFloat32 = defineMetric({
  title: 'MIA (float32)',
  definition:
    'MIA with the confidence exp(zᵧ − max z) / Σ exp(z − max z) computed in float32 at every step, as reference implementations do: decisions near the border may differ from those of MIA.',
  unit: '%',
  named: 'mia/svc-confidence-float32@1',
  version: 1,
  better: 'closer-to-retrain',
  warning: unequalClasses,
  compute: takenForNonMembers(float32ConfidencesOf),
})
