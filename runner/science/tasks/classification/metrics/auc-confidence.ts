/** AUC of the attack that needs no training: D_f against the test set by the confidence in the true class. What forgets too much
 *  is as far from retrain as what forgets too little, only on the other side. */

import { answersOf } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { auc } from '../evidence/separation.ts'
import { marginsOf } from '../evidence/uncertainty.ts'

export const aucConfidence = defineMetric({
  title: 'AUC',
  definition:
    'Two-sided attack: 100 × the share of pairs of a forgotten and a test example in which the forgotten one has the larger confidence in its true class (the smaller loss), equal ones counting half; without test examples of a forgotten class. Retrain is near 50 where a random part is forgotten; above it D_f is still known, below it what was forgotten shows by how unsure the model is.',
  unit: '%',
  named: 'auc/confidence@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  compute: (evidence) => auc(marginsOf(answersOf(evidence, 'forget')), marginsOf(answersOf(evidence, 'test'))),
})
