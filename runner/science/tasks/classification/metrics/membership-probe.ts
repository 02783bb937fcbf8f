/** Whether the features of a model still tell what it forgot from what it never saw: a membership attack on the representation, where
 *  nothing is left of answers. */

import { defineMetric } from '../evidence/evidence.ts'
import { lacksLinear, membershipOf } from '../evidence/probed.ts'
import { auc } from '../evidence/separation.ts'

export const membershipProbe = defineMetric({
  title: 'Probe AUC',
  definition:
    'AUC, in percent, of a linear classifier on the frozen features before the last layer that learns to tell forgotten from test examples, as many of every class on both sides: mean over five parts, each scored by a fit to the other four. Retrain is near 50 where a random part is forgotten.',
  unit: '%',
  named: 'membership-probe/auc@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  lacks: lacksLinear('membership'),
  identity(evidence) {
    membershipOf(evidence)
    return this.named
  },
  compute(evidence) {
    const { scores, folds } = membershipOf(evidence)
    const pairs = Array.from({ length: folds.length }, (_, pair) => pair)
    const parts = [...new Set(Array.from(folds))]
    const areas = parts.map((part) => {
      const held = pairs.filter((pair) => folds[pair] === part)
      const side = (of: 0 | 1) => Float64Array.from(held, (pair) => scores[2 * pair + of]!)
      return auc(side(0), side(1))
    })
    return areas.reduce((sum, area) => sum + area, 0) / areas.length
  },
})
