/** RULI's efficacy game (Naderloui et al. 2025, https://arxiv.org/abs/2506.13009) on one forget set: kernel densities where U-LiRA has
 *  normal laws. The bandwidth is what released code leaves it at, scikit-learn's default of 1. */

import { attackOn, attackParts, kernelDensity } from '../evidence/likelihood-attack.ts'
import { definePopulationMetric } from '../evidence/shadow.ts'

export const ruli = definePopulationMetric({
  title: 'RULI',
  definition:
    'U-LiRA with Gaussian kernel densities of bandwidth 1, as released code has it, in place of normal laws: p(unlearned) / (p(unlearned) + p(retrained)) of each example of D_f and model. In the paper a third of the targets is unlearned in each shadow model; here D_f is the same for all.',
  version: 1,
  named: 'ruli/kde-1@1',
  least: 64,
  parts: attackParts,
  compute: (populations) =>
    attackOn(
      populations,
      kernelDensity(() => 1),
    ),
})
