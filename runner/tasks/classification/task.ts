/** Image classification on the engine's side: trains classifiers, and asks them about D_f, D_r and the test set. */
import { forgottenClasses } from '../../../schema/parts/request.ts'
import { classifiers } from '../../engine/nn/architectures/classifiers.ts'
import { createExecutor } from '../../engine/nn/executor.ts'
import { type ExtractOptions, extract } from '../../engine/nn/extract.ts'
import { rateAt } from '../../engine/training/schedules.ts'
import { labelsOf } from '../../formats/labels.ts'
import type { Split } from '../../science/dataset.ts'
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
import { checkProbes, probe } from './probe.ts'

/** Images in one batch of evaluation; it does not change the answers. */
const BATCH = 250

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
    const { store, threads, provider, signal, onProgress } = context
    const total = startClock()
    const loaded = await context.data(spec.dataset, { signal, onProgress })
    const { train, test, classes } = loaded.dataset
    const { network } = await classifierFor(spec.model, loaded, context)
    const state = await loadWeights(store, network, await context.inputs(spec.inputs.weights!))
    const { forget, retain } = await splitFor(spec, loaded, context)
    const gone = forgottenClasses(spec.request)
    const executor = createExecutor({ threads, provider, signal })
    const setUp = total()
    try {
      const look = (
        of: Split,
        items: Int32Array,
        how: { phase: string; features?: true; now?: ExtractOptions['state'] },
      ) => {
        const { phase, features = false, now = state } = how
        const common = { network, items, phase, executor, threads, signal, onProgress }
        return extract({ ...common, state: now, images: of.images, features, batch: BATCH })
      }
      const ask = async (of: Split, items: Int32Array, phase: string, now: ExtractOptions['state'] = state) => ({
        logits: (await look(of, items, { phase, now })).logits,
        labels: labelsOf(of.labels, items),
      })
      const answers = {
        forget: await ask(train, forget, 'answers on D_f'),
        retain: await ask(train, retain, 'answers on D_r'),
        test: await ask(test, Int32Array.from(test.labels.keys()), 'answers on the test set'),
      }
      const featuresOf = async (of: Split, items: Int32Array) =>
        (await look(of, items, { phase: 'features', features: true })).features
      const subject = { network, state, dataset: loaded.dataset, forget, retain, gone, answers, ask, featuresOf }
      const probed = await probe(spec, subject, context)
      const evidence = {
        classes: classes.length,
        ...answers,
        forgottenClass: gone.length === 1 ? gone[0]! : null,
        ...(gone.length > 1 && { forgottenClasses: gone }),
        ...(probed && { probed }),
      }
      const artifacts = { [EVIDENCE]: await store.put(encodeEvidence(evidence)) }
      const compile = executor.compileSeconds()
      return { artifacts, seconds: { setUp: setUp + compile, evaluate: total() - setUp - compile } }
    } finally {
      await executor.release()
    }
  },
})
