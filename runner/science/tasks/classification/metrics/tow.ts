/** Tug of war (Zhao et al. 2024, https://arxiv.org/abs/2406.01257): forgetting, keeping and generalising as one product. */

import { closenessOf } from '../evidence/against.ts'
import { defineMetric } from '../evidence/evidence.ts'

export const tow = defineMetric({
  title: 'ToW',
  definition:
    'Tug of war: the product over forget, retain and test set of 1 − |accuracy − retrain’s accuracy|, accuracies from 0 to 1; without test examples of a forgotten class. 1 is retrain itself.',
  unit: '',
  decimals: 4,
  named: 'tow/accuracy@1',
  version: 1,
  better: 'larger',
  against: 'retain',
  compute: (evidence, _tools, reference) =>
    closenessOf(evidence, reference, 'forget') *
    closenessOf(evidence, reference, 'retain') *
    closenessOf(evidence, reference, 'test'),
})
