/** Which stages take about the same time on one machine: same kind, data, model, recipe and method, whatever their seed, forget
 *  request and parameters of the method. */
import { canonicalJson, sha256Hex } from './hash.ts'
import type { StageSpec } from './stage.ts'

export function likenessOf(spec: StageSpec): Promise<string> {
  const { kind, dataset, model } = spec
  return sha256Hex(canonicalJson({ kind, dataset, model, ...workOf(spec) }))
}

function workOf(spec: StageSpec): Record<string, unknown> {
  switch (spec.kind) {
    case 'train':
      return { recipe: spec.recipe, denoising: spec.denoising ?? null, retain: spec.without !== null }
    case 'judge':
      return { recipe: spec.recipe }
    case 'unlearn':
      return { denoising: spec.denoising ?? null, method: spec.method.id }
    case 'sample':
      return { denoising: spec.denoising, sampling: spec.sampling }
    case 'evaluate':
    case 'evaluate-samples':
      return { metrics: spec.metrics }
  }
}
