/** The unlearn stage: a method on the weights of the original. */
import type { UnlearnStage } from '../../schema/stage.ts'
import { randomStream } from '../engine/nn/random.ts'
import { createTrainer } from '../engine/training/trainer.ts'
import type { MethodDefinition } from '../science/method.ts'
import * as methods from '../science/methods/index.ts'
import { startClock } from '../stages/clock.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import { networkFor } from '../stages/data.ts'
import { splitOf } from '../stages/split.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { loadWeights, saveWeights, WEIGHTS } from '../stages/weights.ts'

const registry: Record<string, MethodDefinition> = methods

export async function unlearn(spec: UnlearnStage, context: StageContext): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress, checkpoint } = context
  const total = startClock()
  const method = registry[spec.method.id]
  if (!method?.run)
    throw new ConfigurationError(
      `no method ${spec.method.id} that unlearns; known: ${Object.keys(registry).join(', ')}`,
    )
  if (method.version !== spec.method.version) {
    throw new ConfigurationError(
      `the job asks for version ${spec.method.version} of ${spec.method.id}, this runner has version ${method.version}; use the release that matches`,
    )
  }
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { dataset } = loaded
  const classes = dataset.classes.length
  const network = networkFor(spec.model, loaded)
  const state = await loadWeights(store, network, await context.inputs(spec.original))
  const { forget, retain } = splitOf(dataset.train.labels, dataset.classes, spec)
  log(
    `${spec.method.id} on ${spec.dataset.id}: forgetting ${forget.length} images, retaining ${retain.length}, seed ${spec.seed}`,
  )
  log(`parameters ${JSON.stringify(spec.method.params)}`)
  const trainer = createTrainer({
    network,
    train: dataset.train,
    state,
    seed: spec.seed,
    purpose: 'unlearn',
    augment: spec.augment,
    threads,
    provider,
    signal,
    onProgress,
    checkpoint,
  })
  try {
    const before = total()
    await method.run({
      params: method.params.parse(spec.method.params),
      trainer,
      forget,
      retain,
      labels: dataset.train.labels,
      classes,
      random: randomStream(spec.seed, 'labels'),
    })
    const { mask, compile, work } = trainer.seconds()
    const losses = trainer.losses()
    losses.forEach((loss, pass) => {
      log(`pass ${pass + 1}: mean loss ${loss.toFixed(4)}`)
    })
    const artifacts = { [WEIGHTS]: await saveWeights(store, network, trainer.state()) }
    return { artifacts, seconds: { setUp: before + compile, ...(mask > 0 && { mask }), unlearn: work }, losses }
  } finally {
    await trainer.release()
  }
}
