/** Activation distance (Golatkar et al. 2021, https://arxiv.org/abs/2012.13431; Chundawat et al. 2023,
 *  https://arxiv.org/abs/2205.08096): how far the answers on D_f lie from retrain's. */

import { meanOver, pairOf } from '../evidence/against.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { probabilitiesOf } from '../evidence/uncertainty.ts'

const distance = (p: Float64Array, q: Float64Array): number => Math.hypot(...p.map((value, label) => value - q[label]!))

export const activationDistance = defineMetric({
  title: 'Activation distance',
  definition:
    'Mean over the forget set of the Euclidean distance between the softmax answer and that of retrain; some software takes the root of the mean square in its place, which is larger. 0 is retrain itself, √2 the most.',
  unit: '',
  decimals: 4,
  named: 'activation-distance/softmax-mean@1',
  version: 1,
  better: 'smaller',
  against: 'retain',
  compute(evidence, _tools, reference) {
    const [own, retrained] = pairOf(evidence, reference, 'forget')
    return meanOver([probabilitiesOf(own), probabilitiesOf(retrained)], evidence.classes, distance)
  },
})
