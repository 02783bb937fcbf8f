/** Boundary Expand: gives D_f to a class of its own that nobody else is in (https://arxiv.org/abs/2303.11570). That class is dropped
 *  after training, as in the paper and its code. SalUn's released code keeps it, so that an answer can be a class which does not
 *  exist; the model would then have another output than the one of the benchmark, so that is not offered. */
import { acting } from '../acting.ts'
import { defineMethod } from '../method.ts'
import { onClassification, sgd } from '../tasks/classification/vocabulary.ts'
import { lastLayer } from './parts/layers.ts'
import { masked, maskFor } from './parts/saliency.ts'

export const boundaryExpand = defineMethod({
  title: 'Boundary Expand',
  summary: 'Fits D_f to one further class of its own, which is dropped afterwards; never looks at D_r.',
  paper: { title: 'Boundary Unlearning (Chen et al., CVPR 2023)', url: 'https://arxiv.org/abs/2303.11570' },
  version: 1,
  mark: 19,
  on: {
    classification: onClassification({
      params: acting(sgd.extend({ learningRate: sgd.shape.learningRate.default(1e-5), ...masked })),
      search: { learningRate: '1e-5..1e-3' },
      async run(context) {
        const { params, trainer, forget, classes, random } = context
        const { epochs, batchSize } = params
        const { features } = lastLayer(trainer.parameters, classes)
        // As a linear layer begins in PyTorch.
        const fresh = (count: number) =>
          Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) / Math.sqrt(features))
        const own = {
          row: { shape: [features], values: fresh(features) },
          bias: { shape: [1], values: fresh(1) },
        }
        const optimizer = trainer.sgd({ ...params, own, mask: await maskFor(context) })
        await optimizer.descend(
          [
            {
              on: { items: forget, batchSize },
              loss(values) {
                const { logits, featuresOf, own, logSumExp, softplus, add, subtract, multiply, sum, mean } = values
                const further = add(sum(multiply(featuresOf({}), own('row')), 1), own('bias'))
                // log(Σ exp(z) + exp(z')) − z'
                return mean(softplus(subtract(logSumExp(logits), further)))
              },
            },
          ],
          { passes: epochs },
        )
      },
    }),
  },
})
