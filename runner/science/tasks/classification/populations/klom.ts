/** KLOM, the KL divergence of margins (Georgiev et al. 2024, https://arxiv.org/abs/2410.23232), as EasyDUB
 *  (https://arxiv.org/abs/2602.16400) computes it, but that the largest of all margins counts. */

import { binnedDivergence, KLOM_LEAST, klomBySet, klomParts } from '../evidence/histograms.ts'
import { definePopulationMetric } from '../evidence/shadow.ts'

export const klom = definePopulationMetric({
  title: 'KLOM',
  definition:
    'For each example KL(unlearned‖retrained) = Σ p ln(p / q) between the histograms of its margin over the unlearned and over the retrained models: 20 equal bins over the joint range, margins clipped to ±100, q at least 10⁻⁵ where p is not 0; the 95th percentile over the examples of a set. The most is ln 10⁵ = 11.51. The least is far from 0 with few models.',
  version: 1,
  named: 'klom/p95@1',
  least: KLOM_LEAST,
  parts: klomParts,
  compute: (populations) => klomBySet(populations, (unlearned, retrained) => binnedDivergence(unlearned, retrained)),
})
