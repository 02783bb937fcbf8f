/** From a method on a benchmark to the stages of one seed. */
import type { Benchmark } from './benchmark.ts'
import { canonicalJson, ENGINE_VERSION, type StageKey, type StageSpec, sha256Hex, stageKeyOf } from './stage.ts'

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
  const { dataset, model, request, training, metrics } = benchmark
  const stages: PlannedStage[] = []
  const add = async (spec: StageSpec) => {
    const key = await stageKeyOf(spec)
    stages.push({ key, spec })
    return key
  }
  const without = method.trainsOn === 'retain' ? request : null
  let weights = await add({ kind: 'train', dataset, model, recipe: training, without, seed })
  if (!method.trainsOn) {
    weights = await add({
      kind: 'unlearn',
      dataset,
      model,
      holdOut: training.holdOut,
      augment: training.augment,
      request,
      method: { id: method.id, version: method.version, params },
      seed,
      original: weights,
    })
  }
  await add({ kind: 'evaluate', dataset, model, holdOut: training.holdOut, request, metrics, seed, weights })
  return stages
}

/** Hash of what determines a benchmark's results: runs of two definitions are never compared, even under one slug. */
export function definitionOf({ dataset, model, request, training }: Benchmark): Promise<string> {
  return sha256Hex(canonicalJson({ engine: ENGINE_VERSION, dataset, model, request, training }))
}
