/** MIA by entropy, the attack of the first release of the reference code: it needs no labels. */

import { defineMetric } from '../evidence/evidence.ts'
import { entropiesOf } from '../evidence/uncertainty.ts'
import { takenForNonMembers, unequalClasses } from './mia.ts'

export const miaEntropy = defineMetric({
  title: 'MIA (entropy)',
  definition:
    'MIA by another number: 100 × the share of the forget set that the same SVC takes for non-members by the entropy −Σ p ln p of the answer.',
  unit: '%',
  named: 'mia/svc-entropy@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  warning: unequalClasses,
  compute: takenForNonMembers(entropiesOf),
})
