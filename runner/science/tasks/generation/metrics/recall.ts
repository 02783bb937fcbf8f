/** Improved recall (Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991): are all kinds of real images generated? */

import { NEIGHBOUR } from '../../../fidelity/precision-recall.ts'
import { defineMetric, featureIdentity } from '../evidence/evidence.ts'
import { remainingPrecisionRecall } from '../evidence/feature-metrics.ts'

export const recall = defineMetric({
  title: 'Recall',
  definition:
    'Share of real images whose features lie within the distance of a generated image to its third nearest neighbour; remaining classes, in percent.',
  unit: '%',
  version: 1,
  named: 'recall/*@1',
  better: 'larger',
  identity: (evidence) => featureIdentity('recall', 1, evidence, { k: NEIGHBOUR }),
  async compute(evidence, tools) {
    return 100 * (await remainingPrecisionRecall(evidence, tools)).recall
  },
})
