/** From evidence to scores: the metrics that are asked for, each under its exact identity. Pure. */
import { isMetric } from '../../schema/benchmark.ts'
import type { StageResult } from '../../schema/result.ts'
import { type MetricDefinition, MetricError, type MetricTools } from './metric.ts'
import type { ScienceTask } from './task.ts'

/** The metric of a task that a benchmark names, with its id. */
export function metricNamed(
  { metrics }: Pick<ScienceTask, 'metrics'>,
  identity: string,
): readonly [id: string, metric: MetricDefinition] | undefined {
  const all = Object.entries(metrics)
  const anyExtractor = identity.replace(/\/.*@/, '/*@')
  return all.find(([, { named }]) => named === identity) ?? all.find(([, { named }]) => named === anyExtractor)
}

/** What a metric of this evidence is exactly. Throws MetricError where the evidence is of another kind. */
export const identityOf = <Evidence>(metric: MetricDefinition<Evidence>, evidence: Evidence): string =>
  metric.identity?.(evidence) ?? metric.named

export interface Scored {
  values: StageResult['metrics']
  /** By metric id: why a value must be read with care. */
  warnings: Record<string, string>
}

/** Values of the metrics that are named, each up to the first `;` of its identity. Throws MetricError for one that this release
 *  does not compute on such evidence. */
export async function scoreEvidence(
  { metrics }: Pick<ScienceTask, 'metrics'>,
  evidence: unknown,
  identities: readonly string[],
  tools: MetricTools,
): Promise<Scored> {
  const offered = Object.entries(metrics).flatMap(([id, metric]) => {
    try {
      return [{ id, metric, identity: identityOf(metric, evidence) }]
    } catch (error) {
      if (error instanceof MetricError) return [] // of another kind of evidence
      throw error
    }
  })
  const scored: Scored = { values: {}, warnings: {} }
  for (const named of identities) {
    const found = offered.find(({ identity }) => isMetric(named, identity))
    if (!found) {
      const known = offered.map(({ identity }) => identity.split(';')[0]).join(', ')
      throw new MetricError(`no metric ${named} of such evidence; known: ${known}`)
    }
    const { id, metric, identity } = found
    scored.values[id] = { identity, value: await metric.compute(evidence, tools) }
    const warning = metric.warning?.(evidence)
    if (warning) scored.warnings[id] = warning
  }
  return scored
}
