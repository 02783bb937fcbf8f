/** The score of the NeurIPS 2023 machine unlearning challenge (Triantafillou et al. 2024, https://arxiv.org/abs/2406.09073). */

import { mean } from '../../../statistics.ts'
import { epsilonOf } from '../evidence/epsilon.ts'
import { definePopulationMetric, pairsOfRows, type Shadow } from '../evidence/shadow.ts'

const BUCKET = 0.5

export const neurips23 = definePopulationMetric({
  title: 'NeurIPS’23',
  definition:
    'For each example of D_f the largest ε of single and double threshold rules on the logit-scaled confidence that tell unlearned from retrained models, ln((1 − δ − FPR) / FNR) or the same with both swapped, δ = 10⁻⁵; points 1, ½, ¼ … for ε in [0, ½), [½, 1) …, up to ln(models − 1) rounded up. F is their mean, the score F × RA / RA of retrain × TA / TA of retrain. 1 is the most; with few models chance alone costs much of it.',
  version: 1,
  named: 'neurips23/score@1',
  least: 64,
  parts: {
    score: { title: 'score', unit: '', ideal: 1, decimals: 3 },
    forgetting: { title: 'F', unit: '', ideal: 1, decimals: 3 },
  },
  compute(populations) {
    const { unlearned, retrained } = populations
    const last = Math.ceil(Math.log(unlearned.length - 1))
    const points = pairsOfRows(populations, 'forget').map(([own, other]) => {
      const bucket = Math.floor(epsilonOf(own, other) / BUCKET)
      return (bucket + 1) * BUCKET <= last ? 2 ** -bucket : 0
    })
    const accuracyOf = (models: readonly Shadow[], set: 'retain' | 'test') =>
      mean(models.map(({ accuracy }) => accuracy[set]))
    const kept = (set: 'retain' | 'test') => accuracyOf(unlearned, set) / accuracyOf(retrained, set)
    const forgetting = mean(points)
    return { score: forgetting * kept('retain') * kept('test'), forgetting }
  },
})
