/** From evidence to scores: the metrics that are asked for, each under its exact identity. Pure. */
import { isMetric } from '../../schema/benchmark.ts'
import type { StageResult } from '../../schema/result.ts'
import { type MetricDefinition, MetricError, type MetricTools } from './metric.ts'
import { type Beside, withRetrain } from './pair.ts'
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

interface Offered {
  id: string
  metric: MetricDefinition
  identity: string
}

/** Metrics that can be asked of such evidence, each under the identity that its value would have; those of two models where there
 *  is evidence of retrain. */
export function offeredOn(
  { metrics }: Pick<ScienceTask, 'metrics'>,
  evidence: unknown,
  { reference }: { reference?: Beside | undefined } = {},
): Offered[] {
  return Object.entries(metrics).flatMap(([id, metric]) => {
    if (metric.against && reference === undefined) return []
    try {
      const identity = identityOf(metric, evidence)
      return [{ id, metric, identity: metric.against ? withRetrain(identity, reference!.sha256) : identity }]
    } catch (error) {
      if (error instanceof MetricError) return [] // of another kind of evidence
      throw error
    }
  })
}

/** Values of the metrics that are named, each up to the first `;` of its identity. Throws MetricError for one that this release
 *  does not compute on such evidence. */
export async function scoreEvidence(
  science: Pick<ScienceTask, 'metrics'>,
  evidence: unknown,
  identities: readonly string[],
  tools: MetricTools,
  { reference }: { reference?: Beside | undefined } = {},
): Promise<Scored> {
  const offered = offeredOn(science, evidence, { reference })
  const scored: Scored = { values: {}, warnings: {} }
  for (const named of identities) await score(scored, named, { offered, evidence, reference, tools })
  return scored
}

export interface Unscored {
  /** As it was asked for. */
  named: string
  error: Error
}

/** The same, but one that cannot be computed leaves the others. Each has tools of its own. */
export async function scoreEach(
  science: Pick<ScienceTask, 'metrics'>,
  evidence: unknown,
  identities: readonly string[],
  toolsFor: (named: string) => MetricTools,
  { reference }: { reference?: Beside | undefined } = {},
): Promise<Scored & { unscored: Unscored[] }> {
  const offered = offeredOn(science, evidence, { reference })
  const scored: Scored = { values: {}, warnings: {} }
  const unscored: Unscored[] = []
  for (const named of identities) {
    try {
      await score(scored, named, { offered, evidence, reference, tools: toolsFor(named) })
    } catch (error) {
      unscored.push({ named, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return { ...scored, unscored }
}

async function score(
  { values, warnings }: Scored,
  named: string,
  {
    offered,
    evidence,
    reference,
    tools,
  }: { offered: Offered[]; evidence: unknown; reference: Beside | undefined; tools: MetricTools },
): Promise<void> {
  const found = offered.find(({ identity }) => isMetric(named, identity))
  if (!found) {
    const known = offered.map(({ identity }) => identity.split(';')[0]).join(', ')
    throw new MetricError(`no metric ${named} of such evidence; known: ${known}`)
  }
  const { id, metric, identity } = found
  values[id] = { identity, value: await metric.compute(evidence, tools, reference?.evidence) }
  const warning = metric.warning?.(evidence)
  if (warning) warnings[id] = warning
}

/** Whether a value computed anew says what the one before said. Products of matrices round in other orders on other machines, and
 *  a distance that is the difference of two large traces keeps seven digits of them; a share of examples differs by far more. */
export const SAME_WITHIN = 1e-6
export const isSame = (before: number, after: number): boolean =>
  Math.abs(before - after) <= SAME_WITHIN * Math.max(1, Math.abs(after))
