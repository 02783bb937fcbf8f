/** Image classification on the engine's side: trains classifiers, and asks them about D_f, D_r and the test set. */
import { forgottenClasses } from '../../../schema/parts/request.ts'
import { createExecutor } from '../../engine/nn/executor.ts'
import { extract } from '../../engine/nn/extract.ts'
import * as models from '../../engine/nn/models/index.ts'
import { rateAt } from '../../engine/training/schedules.ts'
import type { Split } from '../../science/dataset.ts'
import { EVIDENCE } from '../../science/task.ts'
import { encodeEvidence } from '../../science/tasks/classification/evidence/codec.ts'
import { type ClassifierTypes, fitLabels } from '../../science/tasks/classification/vocabulary.ts'
import { startClock } from '../../stages/clock.ts'
import { splitFor } from '../../stages/split.ts'
import { defineRunnerTask } from '../../stages/task.ts'
import { loadWeights } from '../../stages/weights.ts'
import { networkFor } from './network.ts'
import { classifierObjective } from './objective.ts'

/** Images in one batch of evaluation; it does not change the answers. */
const BATCH = 250

export const classification = defineRunnerTask<ClassifierTypes>({
  architectures: models,
  model({ model }, loaded) {
    const network = networkFor(model, loaded)
    return {
      network,
      objective: ({ augment }) => classifierObjective({ network, train: loaded.dataset.train, augment }),
      verbs: () => ({ imageShape: network.inputShape }),
      async fit(trainer, { items, recipe }) {
        const { epochs, batchSize, learningRate, clipNorm } = recipe
        const optimizer = trainer.fit({ spec: recipe.optimizer, learningRate, clipNorm })
        const steps = Math.ceil(items.length / batchSize)
        for (let epoch = 0; epoch < epochs; epoch++) {
          await optimizer.pass([fitLabels(items, { batchSize })], {
            rate: (step) => rateAt(recipe, epoch + step / steps),
            phase: `epoch ${epoch + 1} of ${epochs}`,
            share: (done) => (epoch + done) / epochs,
          })
        }
        return null
      },
    }
  },
  async measure(spec, context) {
    const { store, threads, provider, signal, onProgress } = context
    const total = startClock()
    const loaded = await context.data(spec.dataset, { signal, onProgress })
    const { train, test, classes } = loaded.dataset
    const network = networkFor(spec.model, loaded)
    const state = await loadWeights(store, network, await context.inputs(spec.inputs.weights!))
    const { forget, retain } = await splitFor(spec, loaded, context)
    const gone = forgottenClasses(spec.request)
    const executor = createExecutor({ threads, provider, signal })
    const setUp = total()
    try {
      const ask = async ({ images, labels }: Split, items: Int32Array, phase: string) => ({
        logits: (
          await extract({
            ...{ network, state, images, items, phase, executor, threads, signal, onProgress },
            features: false,
            batch: BATCH,
          })
        ).logits,
        labels: Uint8Array.from(items, (item) => labels[item]!),
      })
      const evidence = {
        classes: classes.length,
        forget: await ask(train, forget, 'answers on D_f'),
        retain: await ask(train, retain, 'answers on D_r'),
        test: await ask(test, Int32Array.from(test.labels.keys()), 'answers on the test set'),
        forgottenClass: gone.length === 1 ? gone[0]! : null,
        ...(gone.length > 1 && { forgottenClasses: gone }),
      }
      const artifacts = { [EVIDENCE]: await store.put(encodeEvidence(evidence)) }
      const compile = executor.compileSeconds()
      return { artifacts, seconds: { setUp: setUp + compile, evaluate: total() - setUp - compile } }
    } finally {
      await executor.release()
    }
  },
})
