/** Jensen-Shannon divergence to retrain on D_f, as SFR-on (Huang et al. 2024, https://arxiv.org/abs/2409.19732) measures it. ZRF of
 *  Bad Teaching is one minus such a divergence to a random model; its released code takes the mean over classes too, and so is near
 *  1 whatever happens. */

import { meanOver, pairOf } from '../evidence/against.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { probabilitiesOf } from '../evidence/uncertainty.ts'

/** p ln(p / m), which is 0 where p is. */
const part = (p: number, m: number): number => (p === 0 ? 0 : p * Math.log(p / m))

function divergence(p: Float64Array, q: Float64Array): number {
  let total = 0
  for (let label = 0; label < p.length; label++) {
    const m = (p[label]! + q[label]!) / 2
    total += (part(p[label]!, m) + part(q[label]!, m)) / 2
  }
  return total
}

export const jsRetrain = defineMetric({
  title: 'JS to retrain',
  definition:
    'Jensen-Shannon divergence of the softmax answers on the forget set to those of retrain, ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q) / 2: summed over classes with the natural logarithm, mean over examples. 0 is retrain itself, ln 2 = 0.693 the most.',
  unit: 'nats',
  decimals: 4,
  named: 'js-retrain/softmax@1',
  version: 1,
  better: 'smaller',
  against: 'retain',
  compute(evidence, _tools, reference) {
    const [own, retrained] = pairOf(evidence, reference, 'forget')
    return meanOver([probabilitiesOf(own), probabilitiesOf(retrained)], evidence.classes, divergence)
  },
})
