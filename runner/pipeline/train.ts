/** The train stage: a fresh model, trained on D or on D_r; or an original that a file brings. */
import { modelWords } from '../../schema/parts/model-file.ts'
import type { ForgetRequest } from '../../schema/parts/recipe.ts'
import { forgottenClasses } from '../../schema/parts/request.ts'
import type { StageOf } from '../../schema/stage.ts'
import { initialState } from '../engine/nn/initial-state.ts'
import { parameterCount } from '../engine/nn/variables.ts'
import type { Labels } from '../formats/labels.ts'
import { AVERAGE, WEIGHTS } from '../science/weights.ts'
import { startClock } from '../stages/clock.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import { listOf, splitOf, splitSeedOf, splitWords } from '../stages/split.ts'
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
  const model = await runnerTask(spec.task).model(spec, loaded, context)
  const { network } = model
  if (model.original && spec.without === null) {
    log(`the original is what ${modelWords(spec.model)} holds, as it is: nothing was trained`)
    const artifacts = { [WEIGHTS]: await saveWeights(store, network, model.original) }
    return { artifacts, seconds: { setUp: total(), train: 0 }, losses: [] }
  }
  const list = spec.without ? await listOf(spec.without, context) : undefined
  const items = trainingItems({ ...spec, list }, train.labels, classes)
  const all = trainingItems({ ...spec, without: null }, train.labels, classes).length
  const heldOut = choosingItems(spec, train.labels, classes)
  log(
    `training ${modelWords(spec.model)} (${parameterCount(network)} parameters) on ${items.length} images of ${spec.dataset.id}, seed ${seed}${splitWords(spec)}${spec.draws ? `, draws "${spec.draws}"` : ''}, ${recipe.epochs} epochs`,
  )
  const trainer = openTrainer(
    spec,
    { model, state: initialState(network, seed, named('init')), augment: recipe.augment, purpose: named(spec.kind) },
    context,
  )
  try {
    const before = total()
    const averaged = await model.fit(trainer, { items, all, heldOut, recipe, log })
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

type Divided = Pick<StageOf<'train'>, 'without' | 'recipe' | 'seed' | 'splitSeed'>

// D and what is held out of it do not depend on what is later forgotten; any request gives them.
const ANY: ForgetRequest = { kind: 'random', fraction: 0.5 }

/** D, or D_r of the request that is left out. */
export function trainingItems(
  { without, recipe: { holdOut }, list, ...seeds }: Divided & { list?: Int32Array | undefined },
  labels: Labels,
  classes: readonly string[],
): Int32Array {
  const seed = splitSeedOf(seeds)
  if (without) return splitOf(labels, classes, { holdOut, request: without, seed, list }).retain
  return splitOf(labels, classes, { holdOut, request: ANY, seed }).all
}

/** Images held out that a training may choose its epoch by; of classes that are left out it sees none. Throws where there are none
 *  and it wants some. */
export function choosingItems(
  { without, recipe: { holdOut, checkpoint }, ...seeds }: Divided,
  labels: Labels,
  classes: readonly string[],
): Int32Array {
  const { heldOut } = splitOf(labels, classes, { holdOut, request: ANY, seed: splitSeedOf(seeds) })
  const gone = without ? forgottenClasses(without) : []
  const seen = heldOut.filter((item) => !gone.includes(labels[item]!))
  if (checkpoint === 'best' && seen.length === 0)
    throw new ConfigurationError(
      `training.checkpoint: best needs images to choose by, and holdOut ${holdOut} leaves none; raise holdOut, or leave checkpoint out`,
    )
  return seen
}
