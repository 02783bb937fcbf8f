/** MIA by the whole answer, the widest attack of the reference code (`prob` of its SVC_MIA). */

import { defineMetric } from '../evidence/evidence.ts'
import { probabilitiesOf } from '../evidence/uncertainty.ts'
import { takenForNonMembers, unequalClasses } from './mia.ts'

export const miaProbabilities = defineMetric({
  title: 'MIA (all probabilities)',
  definition:
    'MIA by more numbers: 100 × the share of the forget set that the same SVC, with gamma = 1 / classes, takes for non-members by the probabilities of all classes.',
  unit: '%',
  named: 'mia/svc-probabilities@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  warning: unequalClasses,
  compute: takenForNonMembers(probabilitiesOf),
})
