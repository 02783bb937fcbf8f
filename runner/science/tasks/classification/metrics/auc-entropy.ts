/** The twin of `auc-confidence` that knows no labels: D_f against the test set by how undecided the model is. */

import { answersOf } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { auc } from '../evidence/separation.ts'
import { entropiesOf } from '../evidence/uncertainty.ts'

export const aucEntropy = defineMetric({
  title: 'AUC (entropy)',
  definition:
    'Two-sided attack by entropy: 100 × the share of pairs of a forgotten and a test example in which the forgotten one has the smaller entropy −Σ p ln p, equal ones counting half; without test examples of a forgotten class. Above retrain, D_f is answered with more decision than it should be, below it with less.',
  unit: '%',
  named: 'auc/entropy@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  compute: (evidence) => auc(entropiesOf(answersOf(evidence, 'test')), entropiesOf(answersOf(evidence, 'forget'))),
})
