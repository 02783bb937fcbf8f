/** Tug of war by membership (Zhao et al. 2024, https://arxiv.org/abs/2406.01257): the attack in the place of D_f's accuracy. */

import { closenessOf, pairOf } from '../evidence/against.ts'
import { confidencesOf } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { takenForNonMembers } from './mia.ts'

const shareOf = takenForNonMembers(confidencesOf)

export const towMia = defineMetric({
  title: 'ToW-MIA',
  definition:
    'Tug of war with the share that MIA takes for non-members in the place of the accuracy on the forget set: (1 − |MIA − retrain’s MIA|) times 1 − |accuracy − retrain’s accuracy| on retain and test set, shares from 0 to 1. 1 is retrain itself.',
  unit: '',
  decimals: 4,
  named: 'tow-mia/svc-confidence@1',
  version: 1,
  better: 'larger',
  against: 'retain',
  async compute(evidence, tools, reference) {
    pairOf(evidence, reference, 'forget')
    const [own, retrained] = [await shareOf(evidence, tools), await shareOf(reference!, tools)]
    const closeness = 1 - Math.abs(own - retrained) / 100
    return closeness * closenessOf(evidence, reference, 'retain') * closenessOf(evidence, reference, 'test')
  },
})
