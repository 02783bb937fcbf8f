/** The train stage: a fresh network, trained on D or on D_r. */
import type { TrainStage } from '../../schema/stage.ts'
import { initialState } from '../engine/nn/network.ts'
import { createTrainer } from '../engine/training/trainer.ts'
import { startClock } from '../stages/clock.ts'
import { networkFor } from '../stages/data.ts'
import { splitOf } from '../stages/split.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { saveWeights, WEIGHTS } from '../stages/weights.ts'

export async function train(
  spec: Omit<TrainStage, 'kind' | 'denoising'>,
  context: StageContext,
): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress, checkpoint } = context
  const total = startClock()
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { dataset } = loaded
  const network = networkFor(spec.model, loaded)
  const items = trainingItems(spec, dataset.train.labels, dataset.classes)
  log(
    `training ${spec.model.id} on ${items.length} images of ${spec.dataset.id}, seed ${spec.seed}, ${spec.recipe.epochs} epochs`,
  )
  const trainer = createTrainer({
    network,
    train: dataset.train,
    state: initialState(network, spec.seed),
    seed: spec.seed,
    purpose: 'train',
    augment: spec.recipe.augment,
    threads,
    provider,
    signal,
    onProgress,
    checkpoint,
  })
  try {
    const before = total()
    const losses = await trainer.fit(items, spec.recipe)
    const { compile, work } = trainer.seconds()
    losses.forEach((loss, epoch) => {
      log(`epoch ${epoch + 1}: mean loss ${loss.toFixed(4)}`)
    })
    const artifacts = { [WEIGHTS]: await saveWeights(store, network, trainer.state()) }
    return { artifacts, seconds: { setUp: before + compile, train: work }, losses }
  } finally {
    await trainer.release()
  }
}

/** D, or D_r of the request that is left out. */
export function trainingItems(
  { without, recipe: { holdOut }, seed }: Pick<TrainStage, 'without' | 'recipe' | 'seed'>,
  labels: Uint8Array,
  classes: readonly string[],
): Int32Array {
  if (without) return splitOf(labels, classes, { holdOut, request: without, seed }).retain
  // D does not depend on what is later forgotten; any request gives it.
  return splitOf(labels, classes, { holdOut, request: { kind: 'random', fraction: 0.5 }, seed }).all
}
