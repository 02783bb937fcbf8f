/** Forget sets that are found with the original of a seed: it is trained where the store lacks it, then the task looks. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { type PlannedStage, planRun } from '../../schema/plan.ts'
import type { Progress } from '../../schema/result.ts'
import type { StageOf } from '../../schema/stage.ts'
import { initialState } from '../engine/nn/initial-state.ts'
import { randomStream } from '../engine/nn/random.ts'
import type { Tensor } from '../engine/onnx/tensor.ts'
import { methods, ORIGINAL, plannable, scienceTasks } from '../science/catalogue/catalogue.ts'
import type { ForgetSets, FoundSet, WorstCase } from '../science/forget-set.ts'
import { splitSeedOf } from '../stages/split.ts'
import type { StageContext } from '../stages/stage.ts'
import { loadWeights } from '../stages/weights.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { runStage } from './run-stage.ts'
import { runnerTask, scienceTask } from './tasks.ts'
import { trainingItems } from './train.ts'
import { openTrainer } from './training.ts'

/** Begins the names of all draws. */
const PURPOSE = 'forget-set'

export interface AskedSet {
  count: number
  /** The nearest to these images, or the worst case. */
  how: { near: readonly number[] } | { worst: WorstCase; easiest: boolean }
}

type Context = Omit<StageContext, 'inputs' | 'onProgress'>

/** Throws UsageError for a task whose forget sets nothing looks for. */
export function forgetSetsOf({ slug, task }: Benchmark): ForgetSets {
  const { forgetSets } = scienceTask(task.id)
  if (forgetSets) return forgetSets
  const known = [...scienceTasks].flatMap(([id, { forgetSets }]) => (forgetSets ? id : []))
  throw new UsageError(`${slug}: no forget sets are looked for in ${task.id}; known for ${known.join(', ')}`)
}

/** The stage that trains the original of a run. */
export async function originalOf(
  benchmark: Benchmark,
  run: number,
): Promise<PlannedStage & { spec: StageOf<'train'> }> {
  const [first] = await planRun(benchmark, plannable(ORIGINAL, methods.get(ORIGINAL)!), {}, run)
  return first as PlannedStage & { spec: StageOf<'train'> }
}

/** Throws UsageError where D can't answer: said before the original is trained. */
export async function checkAsked(
  { spec }: { spec: StageOf<'train'> },
  { count, how }: AskedSet,
  { data, signal }: Context,
): Promise<Int32Array> {
  const { train, classes } = (await data(spec.dataset, { signal })).dataset
  const items = trainingItems(spec, train.labels, classes)
  if (count >= items.length)
    throw new UsageError(`--count: expected fewer than the ${items.length} images of D, got ${count}`)
  if (!('near' in how)) return items
  const { near } = how
  const beyond = near.find((position) => position >= train.count)
  if (beyond !== undefined)
    throw new UsageError(`--near: expected positions from 0 to ${train.count - 1}, got ${beyond}`)
  const away = near.find((position) => !items.includes(position))
  if (away !== undefined)
    throw new UsageError(
      `--near ${away}: training.holdOut keeps this image out of D for seed ${splitSeedOf(spec)}; name another`,
    )
  if (near.length > count)
    throw new UsageError(`--count: expected at least the ${plural(near.length, 'image')} of --near, got ${count}`)
  return items
}

/** What training it takes is told as any stage. */
export async function findForgetSet(
  original: { spec: StageOf<'train'> },
  { items, count, how, sets }: AskedSet & { items: Int32Array; sets: ForgetSets },
  context: Context,
  events: {
    onTrained(outcome: { reused: boolean }): void
    onProgress(progress: Progress): void
  },
): Promise<FoundSet> {
  const { spec } = original
  let told = events.onProgress
  const own = { ...context, inputs: async () => ({}), onProgress: (progress: Progress) => told(progress) }
  const loaded = await context.data(spec.dataset, { signal: context.signal })
  const model = await runnerTask(spec.task).model(spec, loaded, context)
  const { augment, batchSize } = spec.recipe
  const opened = (state: ReadonlyMap<string, Tensor>) =>
    openTrainer(spec, { model, state, augment, purpose: PURPOSE }, own)
  // A model without features is found out before it is trained.
  if ('near' in how) {
    const untrained = opened(initialState(model.network, spec.seed, PURPOSE))
    const [first] = items
    const few = { trainer: untrained, items: items.subarray(0, 1), count: 1, batchSize }
    await sets.nearest(few, [first!]).finally(untrained.release)
  }
  const { result, reused } = await runStage(spec, own)
  events.onTrained({ reused })
  const trainer = opened(await loadWeights(context.store, model.network, result.artifacts))
  try {
    const searching = { trainer, items, count, batchSize }
    if ('near' in how) return await sets.nearest(searching, how.near)
    const { worst, easiest } = how
    const onRound = (round: number) => {
      const phase = `round ${round} of ${worst.rounds}`
      const share = (round - 1) / worst.rounds
      told = (progress) => events.onProgress({ ...progress, phase: `${phase}, ${progress.phase}`, share })
    }
    const random = randomStream(splitSeedOf(spec), PURPOSE)
    return await sets.worst(searching, { ...worst, easiest, random, onRound })
  } finally {
    await trainer.release()
  }
}
