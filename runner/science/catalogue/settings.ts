/** Several settings of one method on a benchmark, from the values that are chosen for some of its parameters. */
import type { Benchmark } from '../../../schema/benchmark.ts'
import { canonicalJson } from '../../../schema/parts/hash.ts'
import { idleIn } from '../acting.ts'
import type { Choice } from '../search.ts'
import { paramsOn, type Refusal, resolveParams } from './catalogue.ts'

export interface Setting {
  /** Without values that don't act beside the others: the density of no mask. */
  choice: Choice
  /** Every parameter. */
  params: Record<string, unknown>
}

/** Each once. */
export function settingsOf(
  benchmark: Benchmark,
  id: string,
  choices: readonly Choice[],
): { settings: Setting[] } | { refusal: Refusal } {
  const settings = new Map<string, Setting>()
  for (const chosen of choices) {
    const choice = acting(benchmark, id, chosen)
    const found = resolveParams(benchmark, id, choice)
    if ('refusal' in found) return found
    const key = canonicalJson(found.values)
    if (!settings.has(key)) settings.set(key, { choice, params: found.values })
  }
  return { settings: [...settings.values()] }
}

function acting(benchmark: Benchmark, id: string, choice: Choice): Choice {
  const found = paramsOn(benchmark, id)
  if ('refusal' in found) return choice
  const idle = idleIn(found.params.safeParse({ ...benchmark.presets[id], ...choice }).error)
  return Object.fromEntries(Object.entries(choice).filter(([name]) => !idle.includes(name)))
}
