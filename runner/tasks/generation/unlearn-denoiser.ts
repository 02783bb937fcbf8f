/** The unlearn stage of a denoiser: a method on the weights of the original. */
import type { Denoising } from '../../../schema/parts/diffusion.ts'
import type { UnlearnStage } from '../../../schema/stage.ts'
import type { MethodDefinition } from '../../science/method.ts'
import * as methods from '../../science/methods/index.ts'
import { startClock } from '../../stages/clock.ts'
import { ConfigurationError } from '../../stages/configuration-error.ts'
import { denoiserFor } from '../../stages/data.ts'
import { splitOf } from '../../stages/split.ts'
import type { StageContext, StageOutcome } from '../../stages/stage.ts'
import { loadWeights, saveWeights, WEIGHTS } from '../../stages/weights.ts'
import { createDenoiserTrainer } from './denoiser-trainer.ts'

const registry: Record<string, MethodDefinition> = methods

export async function unlearnDenoiser(
  spec: UnlearnStage,
  { diffusion }: Denoising,
  context: StageContext,
): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress, checkpoint } = context
  const total = startClock()
  const { id, version, params } = spec.method
  const method = registry[id]
  if (!method?.generation) {
    const known = Object.keys(registry).filter((name) => registry[name]!.generation)
    throw new ConfigurationError(`no method ${id} that unlearns image generation; known: ${known.join(', ')}`)
  }
  if (method.version !== version) {
    throw new ConfigurationError(
      `the job asks for version ${version} of ${id}, this runner has version ${method.version}; use the release that matches`,
    )
  }
  if (spec.request.kind !== 'class')
    throw new ConfigurationError(`image generation forgets a class; the request is ${spec.request.kind}`)
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { train, classes } = loaded.dataset
  const { network: denoiser, conditions } = denoiserFor(spec.model, loaded)
  const { forget, retain } = splitOf(train.labels, classes, spec)
  log(
    `${id} on ${spec.dataset.id}: forgetting class ${spec.request.label} (${classes[spec.request.label]}), ${forget.length} images, retaining ${retain.length}, seed ${spec.seed}`,
  )
  log(`parameters ${JSON.stringify(params)}`)
  const trainer = createDenoiserTrainer({
    denoiser,
    conditions,
    diffusion,
    train,
    weights: await loadWeights(store, denoiser, await context.inputs(spec.original)),
    seed: spec.seed,
    purpose: 'unlearn',
    flip: spec.augment,
    threads,
    provider,
    signal,
    onProgress,
    checkpoint,
  })
  try {
    await method.generation.run({
      params: method.generation.params.parse(params),
      trainer,
      forget,
      retain,
      forgotten: spec.request.label,
      classes: classes.length,
    })
    const { mask, work } = trainer.seconds()
    const losses = trainer.losses()
    log(`mean losses ${losses.map((loss) => loss.toPrecision(4)).join(' ')}`)
    const artifacts = { [WEIGHTS]: await saveWeights(store, denoiser, trainer.weights()) }
    const setUp = Math.max(0, total() - trainer.spent())
    return { artifacts, seconds: { setUp, ...(mask > 0 && { mask }), unlearn: work }, losses }
  } finally {
    await trainer.release()
  }
}
