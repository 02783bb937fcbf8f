/** Unlearning accuracy of image generation (Fan et al. 2024, https://arxiv.org/abs/2310.12508): is the forgotten class still
 *  recognised in what the model draws when asked for it? */
import { defineMetric } from '../evidence/evidence.ts'
import { judged, judgeIdentity } from '../evidence/judge.ts'

export const generatedUa = defineMetric({
  title: 'UA',
  definition:
    'Unlearning accuracy: 100 × the share of images asked for the forgotten class that an independent classifier does not call that class.',
  unit: '%',
  version: 1,
  named: 'ua/judge@1',
  better: 'larger',
  orders: true,
  identity: (evidence) => judgeIdentity('ua', 1, evidence, judged(evidence, 'forgotten')),
  compute(evidence) {
    const { count, recognised } = judged(evidence, 'forgotten')
    return (100 * (count - recognised)) / count
  },
})
