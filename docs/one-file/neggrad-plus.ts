/** NegGrad+: descends the loss on D_r and climbs that on D_f in the same step. */
export default defineMethod({
  title: 'NegGrad+ of one file',
  summary: 'Descends the loss on D_r and climbs the loss on D_f in each step, one weighed against the other.',
  on: {
    classification: onClassification({
      params: {
        ...sgd,
        batchSize: { ...sgd.batchSize, default: 128, about: 'Images of D_r in a step.' },
        forgetBatchSize: { type: 'integer', min: 1, max: 4096, default: 32, about: 'Images of D_f in a step.' },
        momentum: { ...sgd.momentum, default: 0 },
        weightDecay: { ...sgd.weightDecay, default: 0 },
        beta: { type: 'number', above: 0, max: 1, default: 0.9999, about: 'β of β L(D_r) − (1 − β) L(D_f).' },
        pull: { type: 'number', min: 0, max: 10, default: 0, about: 'w of a further β w/2 |θ − θ0|².' },
      },
      search: { learningRate: '1e-3..0.5', beta: '0.8..0.999' },
      async run({ params, trainer, forget, retain }) {
        const { epochs, batchSize, forgetBatchSize, beta, pull } = params
        const original = trainer.keep()
        const loss = ({ logits, labels, crossEntropy }) => crossEntropy(logits, labels)
        const penalty = ({ weights, weightsOf, subtract, multiply, square, sum }) =>
          multiply((beta * pull) / 2, sum(square(subtract(weights, weightsOf(original)))))
        const optimizer = trainer.sgd({ ...params, penalty: pull > 0 ? penalty : undefined })
        await optimizer.descend(
          [
            { on: { items: retain, batchSize }, loss, weight: beta },
            { on: { items: forget, batchSize: forgetBatchSize }, loss, weight: -(1 - beta) },
          ],
          { passes: epochs },
        )
      },
    }),
  },
})
