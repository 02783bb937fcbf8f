/** From a method on a benchmark to the stages of one seed. */
import type { Benchmark } from './benchmark.ts'
import { canonicalJson, sha256Hex } from './hash.ts'
import { ENGINE_VERSION, type StageKey, type StageSpec, stageKeyOf } from './stage.ts'

/** What planning asks of a method. */
export interface PlannableMethod {
  id: string
  version: number
  /** Set by methods that are themselves a training: `original` trains on D, `retrain` on D_r. */
  trainsOn?: 'all' | 'retain'
}

export interface PlannedStage {
  key: StageKey
  spec: StageSpec
}

/** Stages of one run in the order in which they must run; the last one evaluates. */
export async function planRun(
  benchmark: Benchmark,
  method: PlannableMethod,
  params: Record<string, unknown>,
  seed: number,
): Promise<PlannedStage[]> {
  const { dataset, model, request, training, metrics, generation } = benchmark
  const denoiser = generation && { denoising: generation.denoising }
  const stages: PlannedStage[] = []
  const add = async (spec: StageSpec) => {
    const key = await stageKeyOf(spec)
    stages.push({ key, spec })
    return key
  }
  const without = method.trainsOn === 'retain' ? request : null
  let weights = await add({ kind: 'train', dataset, model, recipe: training, without, ...denoiser, seed })
  if (!method.trainsOn) {
    weights = await add({
      kind: 'unlearn',
      dataset,
      model,
      holdOut: training.holdOut,
      augment: training.augment,
      request,
      method: { id: method.id, version: method.version, params },
      ...denoiser,
      seed,
      original: weights,
    })
  }
  if (generation) {
    const { denoising, sampling, judge, extractor } = generation
    const { model: classifier, training: recipe } = judge
    const samples = await add({ kind: 'sample', dataset, model, denoising, sampling, seed, weights })
    const judging = await add({ kind: 'judge', dataset, model: classifier, recipe, seed: judge.seed })
    const judged = { dataset, request, model: classifier, extractor, metrics, seed, samples, judge: judging }
    await add({ kind: 'evaluate-samples', ...judged })
    return stages
  }
  await add({ kind: 'evaluate', dataset, model, holdOut: training.holdOut, request, metrics, seed, weights })
  return stages
}

/** Hash of what determines a benchmark's results: runs of two definitions are never compared, even under one slug. */
export function definitionOf({ dataset, model, request, training, generation }: Benchmark): Promise<string> {
  const whole = { engine: ENGINE_VERSION, dataset, model, request, training, ...(generation && { generation }) }
  return sha256Hex(canonicalJson(whole))
}
