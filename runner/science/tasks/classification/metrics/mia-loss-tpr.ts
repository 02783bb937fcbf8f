/** The loss attack (Yeom et al. 2018, https://arxiv.org/abs/1709.01604) where few false alarms are allowed, as Carlini et al. 2022
 *  (https://arxiv.org/abs/2112.03570) judge attacks: one threshold for all examples, no shadow models. Its AUC is `auc-confidence`. */

import { answersOf } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { shareAbove } from '../evidence/separation.ts'
import { marginsOf } from '../evidence/uncertainty.ts'

export const miaLossTpr = defineMetric({
  title: 'TPR at 1% FPR',
  definition:
    'Loss attack: 100 × the largest share of the forget set whose loss −ln pᵧ lies below a threshold below which at most 1% of the test set lie; without test examples of a forgotten class. About 1 where D_f cannot be told from test examples.',
  unit: '%',
  named: 'mia/loss-tpr-at-1-fpr@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  // By the margin, which falls as the loss grows and keeps its digits where the loss comes to 0.
  compute: (evidence) =>
    shareAbove(marginsOf(answersOf(evidence, 'forget')), marginsOf(answersOf(evidence, 'test')), 1),
})
