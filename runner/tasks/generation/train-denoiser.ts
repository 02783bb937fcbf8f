/** The train stage of a denoiser: a fresh network, trained on D or on D_r. */
import type { Denoising } from '../../../schema/parts/diffusion.ts'
import type { TrainStage } from '../../../schema/stage.ts'
import { parameterCount } from '../../engine/nn/network.ts'
import { initialState } from '../../engine/nn/variables.ts'
import { rateAt } from '../../engine/training/schedules.ts'
import { trainingItems } from '../../pipeline/train.ts'
import { startClock } from '../../stages/clock.ts'
import { denoiserFor } from '../../stages/data.ts'
import type { StageContext, StageOutcome } from '../../stages/stage.ts'
import { AVERAGE, saveWeights, WEIGHTS } from '../../stages/weights.ts'
import { createDenoiserTrainer } from './denoiser-trainer.ts'

export async function trainDenoiser(
  spec: TrainStage,
  { diffusion, dropCondition, average }: Denoising,
  context: StageContext,
): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress, checkpoint } = context
  const total = startClock()
  const { seed, recipe } = spec
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { train, classes } = loaded.dataset
  const { network: denoiser, conditions } = denoiserFor(spec.model, loaded)
  const items = trainingItems(spec, train.labels, classes)
  const all = trainingItems({ ...spec, without: null }, train.labels, classes)
  const stepsPerEpoch = Math.ceil(all.length / recipe.batchSize)
  const steps = recipe.epochs * stepsPerEpoch
  log(
    `training ${spec.model.id} (${parameterCount(denoiser)} parameters) on ${items.length} images of ${spec.dataset.id}, seed ${seed}, ${steps} steps`,
  )
  const trainer = createDenoiserTrainer({
    denoiser,
    conditions,
    diffusion,
    train,
    weights: initialState(denoiser, seed),
    seed,
    purpose: 'train',
    flip: recipe.augment,
    threads,
    provider,
    signal,
    onProgress,
    checkpoint,
  })
  try {
    const { batchSize, learningRate, optimizer, clipNorm } = recipe
    const averaged = await trainer.fit(items, {
      steps,
      rate: (step) => rateAt(recipe, step / stepsPerEpoch),
      batchSize,
      learningRate,
      optimizer,
      clipNorm,
      dropCondition,
      average,
    })
    const { work } = trainer.seconds()
    const losses = trainer.losses()
    log(`mean losses ${losses.map((loss) => loss.toFixed(2)).join(' ')}`)
    const artifacts = {
      [WEIGHTS]: await saveWeights(store, denoiser, trainer.weights()),
      ...(averaged && { [AVERAGE]: await saveWeights(store, denoiser, averaged) }),
    }
    return { artifacts, seconds: { setUp: Math.max(0, total() - trainer.spent()), train: work }, losses }
  } finally {
    await trainer.release()
  }
}
