/** U-LiRA (Hayes et al. 2024, https://arxiv.org/abs/2403.01218): the likelihood-ratio attack of Carlini et al.
 *  (https://arxiv.org/abs/2112.03570) that asks of every example whether a model unlearned it or never saw it. */

import { attackOn, attackParts, normalDensity } from '../evidence/likelihood-attack.ts'
import { definePopulationMetric } from '../evidence/shadow.ts'

export const uLira = definePopulationMetric({
  title: 'U-LiRA',
  definition:
    'For each example of D_f two normal laws of the logit-scaled confidence ln p − ln(1 − p), fitted on half of the unlearned and half of the retrained models; each other model is judged by the ratio of its likelihoods, and then the halves change places. Accuracy, AUC and TPR at 1% FPR over all examples and models; 50% is what guessing has, and what exact unlearning would leave.',
  version: 1,
  named: 'u-lira/normal-halves@1',
  least: 64,
  parts: attackParts,
  compute: (populations) => attackOn(populations, normalDensity),
})
