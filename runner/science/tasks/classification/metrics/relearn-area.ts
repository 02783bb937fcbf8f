/** The curve of relearning as one number: no threshold that a model may just miss, and no step between two looks. */

import { defineMetric } from '../evidence/evidence.ts'
import { lacksRelearning, looksOf } from '../evidence/probed.ts'

export const relearnArea = defineMetric({
  title: 'Relearn area',
  definition:
    'Mean accuracy on the forget set, in percent, over the steps of training on it again at the constant rate that the benchmark states: the area under the curve by trapezoids, divided by the steps. To be read beside retrain’s.',
  unit: '%',
  named: 'relearn/area@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  lacks: lacksRelearning,
  identity(evidence) {
    looksOf(evidence)
    return this.named
  },
  compute(evidence) {
    const looks = looksOf(evidence)
    const area = looks.slice(1).reduce((sum, { step, forget }, i) => {
      const before = looks[i]!
      return sum + ((forget + before.forget) / 2) * (step - before.step)
    }, 0)
    return (100 * area) / looks.at(-1)!.step
  },
})
