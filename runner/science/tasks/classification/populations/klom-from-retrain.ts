/** KLOM in the direction of data-unlearning-bench, whose caller hands the retrained models over first. */

import { binnedDivergence, KLOM_LEAST, klomBySet, klomParts } from '../evidence/histograms.ts'
import { definePopulationMetric } from '../evidence/shadow.ts'

export const klomFromRetrain = definePopulationMetric({
  title: 'KLOM (from retrain)',
  definition:
    'KLOM the other way round, KL(retrained‖unlearned), with the open right edge of released code: what data-unlearning-bench computes, where EasyDUB has KL(unlearned‖retrained).',
  version: 1,
  named: 'klom/p95-from-retrain@1',
  least: KLOM_LEAST,
  parts: klomParts,
  compute: (populations) =>
    klomBySet(populations, (unlearned, retrained) => binnedDivergence(retrained, unlearned, { closed: false })),
})
