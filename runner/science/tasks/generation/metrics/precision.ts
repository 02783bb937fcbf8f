/** Improved precision (Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991): do generated images look real? */

import { NEIGHBOUR } from '../../../fidelity/precision-recall.ts'
import { defineMetric, featureIdentity } from '../evidence/evidence.ts'
import { remainingPrecisionRecall } from '../evidence/feature-metrics.ts'

export const precision = defineMetric({
  title: 'Precision',
  definition:
    'Share of generated images whose features lie within the distance of a real image to its third nearest neighbour; remaining classes, in percent.',
  unit: '%',
  version: 1,
  named: 'precision/*@1',
  better: 'larger',
  identity: (evidence) => featureIdentity('precision', 1, evidence, { k: NEIGHBOUR }),
  async compute(evidence, tools) {
    return 100 * (await remainingPrecisionRecall(evidence, tools)).precision
  },
})
