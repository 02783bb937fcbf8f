/** MIA by what SVC_MIA of Unlearn-Saliency computes in the place of modified entropy, for comparison with figures that were
 *  published so: its logarithm of 1 − p is that of p, and the label of any example counts as the true class of all. */

import { defineMetric } from '../evidence/evidence.ts'
import { releasedModifiedEntropiesOf } from '../evidence/uncertainty.ts'
import { takenForNonMembers, unequalClasses } from './mia.ts'

export const miaMEntropyReleased = defineMetric({
  title: 'MIA (m-entropy, released)',
  definition:
    'MIA by another number: 100 × the share of the forget set that the same SVC takes for non-members by what released code computes as modified entropy, −Σ (1 − p) ln p over the classes that occur in the set and −Σ p ln p over the others.',
  unit: '%',
  named: 'mia/svc-m-entropy-released@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  warning: unequalClasses,
  compute: takenForNonMembers(releasedModifiedEntropiesOf),
})
