/** Trains a copy of a model on D_f again, and looks now and then at what it has come to. A run and its retrain see the same batches,
 *  since those follow from D_f and the seed. */
import type { Relearning } from '../../../schema/parts/probes.ts'
import type { Network } from '../../engine/nn/network.ts'
import { endlessOrder, randomStream } from '../../engine/nn/random.ts'
import type { Tensor } from '../../engine/onnx/tensor.ts'
import { createTrainer, DivergenceError } from '../../engine/training/trainer.ts'
import type { Split } from '../../science/dataset.ts'
import { fitLabels } from '../../science/tasks/classification/vocabulary.ts'
import type { StageContext } from '../../stages/stage.ts'
import { classifierObjective } from './objective.ts'

const PURPOSE = 'relearn'

interface Subject {
  network: Network
  state: ReadonlyMap<string, Tensor>
  train: Split
  forget: Int32Array
  retain: Int32Array
  seed: number
}

type Right = readonly [forget: number, test: number]

/** [looks, 3]: steps, and how many of D_f and of the test set are right, `before` and as `look` says of the weights then. A model that
 *  diverges is right about nothing from there on. */
export async function relearn(
  { network, state, train, forget, retain, seed }: Subject,
  { steps, every, batchSize, learningRate, retained, optimizer, clipNorm, augment }: Relearning,
  { before, look }: { before: Right; look(state: ReadonlyMap<string, Tensor>): Promise<Right> },
  { threads, provider, signal, onProgress, log }: StageContext,
): Promise<Float32Array> {
  const beside = randomStream(seed, `${PURPOSE}/retained`).shuffle(retain)
  const items = Int32Array.from([...forget, ...beside.subarray(0, Math.round(retained * forget.length))])
  const order = endlessOrder(seed, PURPOSE, items.length)
  const trainer = createTrainer({
    objective: classifierObjective({ network, train, augment }),
    ...{ state, seed, purpose: PURPOSE, threads, provider, signal, onProgress },
  })
  const curve = new Float32Array(3 * (steps / every + 1))
  curve.set(before, 1)
  try {
    const fit = trainer.fit({ spec: optimizer, learningRate, clipNorm })
    for (let done = every; done <= steps; done += every) {
      const row = (3 * done) / every
      curve[row] = done
      // So many batches of the passes over all items; their order among themselves is drawn once more.
      const next = Int32Array.from(
        { length: every * batchSize },
        (_, i) => items[order((done - every) * batchSize + i)]!,
      )
      await fit.steps([fitLabels(next, { batchSize })], every, { rate: () => learningRate, phase: 'relearning D_f' })
      curve.set(await look(trainer.state()), row + 1)
    }
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error
    log(`relearning D_f: ${error.message}; from there on it counts as right about nothing`)
    for (let done = every; done <= steps; done += every) curve[(3 * done) / every] = done
  } finally {
    await trainer.release()
  }
  return curve
}
