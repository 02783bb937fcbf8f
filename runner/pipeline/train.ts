/** The train stage: a fresh model, trained on D or on D_r. */
import type { StageOf } from '../../schema/stage.ts'
import { initialState } from '../engine/nn/initial-state.ts'
import { parameterCount } from '../engine/nn/variables.ts'
import { AVERAGE, WEIGHTS } from '../science/weights.ts'
import { startClock } from '../stages/clock.ts'
import { listOf, splitOf } from '../stages/split.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { saveWeights } from '../stages/weights.ts'
import { runnerTask } from './tasks.ts'
import { lossWords, openTrainer } from './training.ts'

export async function train(spec: StageOf<'train'>, context: StageContext): Promise<StageOutcome> {
  const { store, signal, log, onProgress } = context
  const total = startClock()
  const { seed, recipe } = spec
  const named = (purpose: string) => (spec.draws ? `${spec.draws}/${purpose}` : purpose)
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { train, classes } = loaded.dataset
  const model = runnerTask(spec.task).model(spec, loaded)
  const { network } = model
  const list = spec.without ? await listOf(spec.without, context) : undefined
  const items = trainingItems({ ...spec, list }, train.labels, classes)
  const all = trainingItems({ ...spec, without: null }, train.labels, classes).length
  log(
    `training ${spec.model.id} (${parameterCount(network)} parameters) on ${items.length} images of ${spec.dataset.id}, seed ${seed}${spec.draws ? `, draws "${spec.draws}"` : ''}, ${recipe.epochs} epochs`,
  )
  const trainer = openTrainer(
    spec,
    { model, state: initialState(network, seed, named('init')), augment: recipe.augment, purpose: named(spec.kind) },
    context,
  )
  try {
    const before = total()
    const averaged = await model.fit(trainer, { items, all, recipe })
    const { compile, work } = trainer.seconds()
    const losses = trainer.losses()
    log(lossWords(losses))
    const artifacts = {
      [WEIGHTS]: await saveWeights(store, network, trainer.state()),
      ...(averaged && { [AVERAGE]: await saveWeights(store, network, averaged) }),
    }
    return { artifacts, seconds: { setUp: before + compile, train: work }, losses }
  } finally {
    await trainer.release()
  }
}

/** D, or D_r of the request that is left out. */
export function trainingItems(
  {
    without,
    recipe: { holdOut },
    seed,
    list,
  }: Pick<StageOf<'train'>, 'without' | 'recipe' | 'seed'> & { list?: Int32Array | undefined },
  labels: Uint8Array,
  classes: readonly string[],
): Int32Array {
  if (without) return splitOf(labels, classes, { holdOut, request: without, seed, list }).retain
  // D does not depend on what is later forgotten; any request gives it.
  return splitOf(labels, classes, { holdOut, request: { kind: 'random', fraction: 0.5 }, seed }).all
}
