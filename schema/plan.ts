/** From a method on a benchmark to the stages of one run. */
import type { Benchmark } from './benchmark.ts'
import { canonicalJson, sha256Hex } from './parts/hash.ts'
import { withoutPlaces } from './parts/model-file.ts'
import type { ForgetRequest } from './parts/recipe.ts'
import { isDrawn, requestContent } from './parts/request.ts'
import { seedsOf } from './parts/seeding.ts'
import { type Every, type StageKey, type StageSpec, stageKeyOf } from './stage.ts'
import { partOf, taskNamed } from './task.ts'

/** What planning asks of a method. */
export interface PlannableMethod {
  id: string
  version: number
  /** Set by methods that are themselves a training: `original` trains on D, `retrain` on D_r. */
  trainsOn?: 'all' | 'retain'
  /** Of a training whose draws are its own. */
  draws?: string
  /** SHA-256 of its file, of a method that is one by itself. */
  source?: string
}

export interface PlannedStage {
  key: StageKey
  spec: StageSpec
}

/** Stages of one run, by its number, in the order in which they must run; the last one evaluates. With `every`, the stage that
 *  unlearns is one that leaves its path too; a training is no way from the original, and has none. */
export async function planRun(
  benchmark: Benchmark,
  method: PlannableMethod,
  params: Record<string, unknown>,
  run: number,
  { every }: { every?: Every | undefined } = {},
): Promise<PlannedStage[]> {
  const { dataset, training } = benchmark
  const model = withoutPlaces(benchmark.model)
  const request = requestContent(benchmark.request)
  const task = taskNamed(benchmark.task.id)
  const own = partOf(benchmark.task)
  const stages: PlannedStage[] = []
  const add = async (spec: StageSpec) => {
    const key = await stageKeyOf(spec)
    stages.push({ key, spec })
    return key
  }
  const seeds = seedsOf(benchmark, run)
  const common = { task: benchmark.task.id, dataset, model, part: task.trainingPart(own) }
  const without = method.trainsOn === 'retain' ? request : null
  // Nothing is said that changes nothing, so that an original is shared by all that hold nothing out.
  const seeded = (seed: number, request: ForgetRequest | null) => ({
    seed,
    ...(seeds.forgetSet !== seed && isDrawn(request, training) && { splitSeed: seeds.forgetSet }),
  })
  const { draws } = method
  let weights = await add({
    kind: 'train',
    ...common,
    ...seeded(seeds.training, without),
    recipe: training,
    without,
    ...(draws !== undefined && { draws }),
    inputs: {},
  })
  if (!method.trainsOn) {
    const { holdOut, augment } = training
    const { id, version, source } = method
    weights = await add({
      kind: 'unlearn',
      ...common,
      ...seeded(seeds.unlearning, request),
      ...{ holdOut, augment, request },
      method: { id, version, params, ...(source !== undefined && { source }) },
      ...(every && { every }),
      inputs: { original: weights },
    })
  }
  const { training: trainingSeed, forgetSet: seed } = seeds
  await task.measure({ benchmark: { ...benchmark, model, request }, part: own, seed, trainingSeed, weights }, add)
  return stages
}

/** Hash of what determines a benchmark's results: runs of two definitions are never compared, even under one slug. */
export async function definitionOf({ dataset, model, request, training, task, seeding }: Benchmark): Promise<string> {
  const { engine } = taskNamed(task.id)
  const content = { model: withoutPlaces(model), request: requestContent(request) }
  return await sha256Hex(canonicalJson({ engine, dataset, ...content, training, task, ...(seeding && { seeding }) }))
}
