/** What the metrics of a result are worth: each that can be is computed again from the evidence, and must be the same. */
import { isSame, offeredOn } from '../../../runner/science/score.ts'
import type { ScienceTask } from '../../../runner/science/task.ts'
import { isMetric } from '../../../schema/benchmark.ts'
import type { StageResult } from '../../../schema/result.ts'
import type { Worth } from '../parts/scores.ts'
import { computeHere } from '../scores/compute.ts'

interface Metrics {
  /** What the runner says. */
  claimed: StageResult['metrics']
  /** As the benchmarks of its runs name them; computed also where the runner says nothing of them. */
  wanted: readonly string[]
}

/** Metrics that this release does not know are worth nothing: no board shows them. */
export async function worthOf(
  science: ScienceTask,
  evidence: unknown,
  { claimed, wanted }: Metrics,
): Promise<Worth | { objection: string }> {
  const offered = offeredOn(science, evidence)
  const known = Object.entries(claimed).flatMap(([id, { identity, value }]) => {
    const named = identity.split(';')[0]!
    const own = offered.find((each) => isMetric(named, each.identity))
    return own ? [{ id, identity, value, named, own }] : []
  })
  for (const { id, identity, own } of known) {
    if (id === own.id && identity === own.identity) continue
    return { objection: `expected metrics.${own.id} of the identity ${own.identity}, got metrics.${id} of ${identity}` }
  }
  const named = known.map((each) => each.named)
  const others = wanted.filter(
    (each) => !named.includes(each) && offered.some(({ identity }) => isMetric(each, identity)),
  )
  const { values, tooLong, unscored } = await computeHere(science, evidence, [...named, ...others])
  for (const { id, value, named } of known) {
    const none = unscored.find((each) => each.named === named)
    if (none) return { objection: `metrics.${id}: expected no value, got ${value}: ${none.error.message}` }
    const computed = values[id]
    if (computed && !isSame(computed.value, value)) {
      return { objection: `metrics.${id}: expected ${computed.value}, which the evidence gives, got ${value}` }
    }
  }
  const left = known.filter((each) => tooLong.includes(each.named))
  return {
    computed: values,
    claimed: Object.fromEntries(left.map(({ id, identity, value }) => [id, { identity, value }])),
  }
}
