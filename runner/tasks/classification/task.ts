/** Image classification on the engine's side: trains classifiers, and asks them about D_f, D_r and the test set. */
import { classifiers } from '../../engine/nn/architectures/classifiers.ts'
import { rateAt } from '../../engine/training/schedules.ts'
import { EVIDENCE } from '../../science/task.ts'
import { encodeEvidence } from '../../science/tasks/classification/evidence/codec.ts'
import { type ClassifierTypes, fitLabels } from '../../science/tasks/classification/vocabulary.ts'
import { startClock } from '../../stages/clock.ts'
import { splitFor } from '../../stages/split.ts'
import { defineRunnerTask } from '../../stages/task.ts'
import { loadWeights } from '../../stages/weights.ts'
import { bestEpoch } from './best-epoch.ts'
import { classifierFor } from './network.ts'
import { classifierObjective } from './objective.ts'
import { observerOf } from './observer.ts'
import { checkProbes, probe } from './probe.ts'

export const classification = defineRunnerTask<ClassifierTypes>({
  architectures: classifiers,
  async prepare(benchmark, { places }) {
    await checkProbes(benchmark, places)
  },
  async model({ model }, loaded, context) {
    const { network, original } = await classifierFor(model, loaded, context)
    return {
      network,
      ...(original && { original }),
      objective: ({ augment }) => classifierObjective({ network, train: loaded.dataset.train, augment }),
      verbs: () => ({ imageShape: network.inputShape }),
      observe: (asked, context) => observerOf(network, loaded.dataset, asked, context),
      async fit(trainer, { items, heldOut, recipe, log }) {
        const { epochs, batchSize, learningRate, clipNorm } = recipe
        const optimizer = trainer.fit({ spec: recipe.optimizer, learningRate, clipNorm })
        const steps = Math.ceil(items.length / batchSize)
        const best =
          recipe.checkpoint === 'best'
            ? bestEpoch(trainer, { items: heldOut, labels: loaded.dataset.train.labels })
            : null
        for (let epoch = 0; epoch < epochs; epoch++) {
          await optimizer.pass([fitLabels(items, { batchSize })], {
            rate: (step) => rateAt(recipe, epoch + step / steps),
            phase: `epoch ${epoch + 1} of ${epochs}`,
            share: (done) => (epoch + done) / epochs,
          })
          await best?.look(epoch + 1)
        }
        if (best) log(await best.restore())
        return null
      },
    }
  },
  async measure(spec, context) {
    const { store, signal, onProgress } = context
    const total = startClock()
    const loaded = await context.data(spec.dataset, { signal, onProgress })
    const { network } = await classifierFor(spec.model, loaded, context)
    const state = await loadWeights(store, network, await context.inputs(spec.inputs.weights!))
    const split = await splitFor(spec, loaded, context)
    const observer = observerOf(network, loaded.dataset, { split, request: spec.request }, context)
    const setUp = total()
    try {
      const answers = await observer.evidence(state)
      const { ask, featuresOf } = observer
      const probed = await probe(
        spec,
        { network, state, dataset: loaded.dataset, ...split, answers, ask, featuresOf: featuresOf(state) },
        context,
      )
      const evidence = { ...answers, ...(probed && { probed }) }
      const artifacts = { [EVIDENCE]: await store.put(encodeEvidence(evidence)) }
      const compile = observer.compileSeconds()
      return { artifacts, seconds: { setUp: setUp + compile, evaluate: total() - setUp - compile } }
    } finally {
      await observer.release()
    }
  },
})
