/** What the features of a model still hold of a class that its answers no longer name (An Illusion of Unlearning, Gao et al. 2026,
 *  https://arxiv.org/abs/2604.08271). Features of a retrained model tell most classes apart that it has never seen, too. */

import { countCorrect } from '../evidence/answers.ts'
import { defineMetric } from '../evidence/evidence.ts'
import { lacksLinear, recoveredOf } from '../evidence/probed.ts'

export const linearProbe = defineMetric({
  title: 'Probe',
  definition:
    'Accuracy, in percent, on the test images of the forgotten class of a linear classifier on the frozen features before the last layer, fitted to training images of all classes, the forgotten one with its true label. To be read beside retrain’s: features that never learned a class tell it apart as well, up to a point.',
  unit: '%',
  named: 'linear-probe/class@1',
  version: 1,
  better: 'closer-to-retrain',
  besideAvgGap: true,
  lacks: lacksLinear('classes'),
  identity(evidence) {
    recoveredOf(evidence)
    return this.named
  },
  compute(evidence) {
    const recovered = recoveredOf(evidence)
    return (100 * countCorrect(recovered)) / recovered.labels.length
  },
})
