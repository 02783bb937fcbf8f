/** Which stages take about the same time on one machine: same kind, data, model, recipe and method, whatever their seed, forget
 *  request and parameters of the method. */
import { canonicalJson, sha256Hex } from './parts/hash.ts'
import type { StageSpec } from './stage.ts'

export function likenessOf(spec: StageSpec): Promise<string> {
  const { kind, task, dataset, model, part } = spec
  return sha256Hex(canonicalJson({ kind, task, dataset, model, part, ...workOf(spec) }))
}

function workOf(spec: StageSpec): Record<string, unknown> {
  if (spec.kind === 'train') return { recipe: spec.recipe, retain: spec.without !== null }
  return spec.kind === 'unlearn' ? { method: spec.method.id, ...(spec.every && { every: spec.every }) } : {}
}
