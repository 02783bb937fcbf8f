/** KLOM as EasyDUB's released code computes it: the largest of all margins lies on the right edge of the last bin, belongs to none, and is
 *  left out of its histogram. For comparison with figures that were published so. */

import { binnedDivergence, KLOM_LEAST, klomBySet, klomParts } from '../evidence/histograms.ts'
import { definePopulationMetric } from '../evidence/shadow.ts'

export const klomReleased = definePopulationMetric({
  title: 'KLOM (released)',
  definition:
    'KLOM with the bins of released code: the largest margin of both groups, on the right edge of the last bin, is dropped before shares are taken.',
  version: 1,
  named: 'klom/p95-open-edge@1',
  least: KLOM_LEAST,
  parts: klomParts,
  compute: (populations) =>
    klomBySet(populations, (unlearned, retrained) => binnedDivergence(unlearned, retrained, { closed: false })),
})
