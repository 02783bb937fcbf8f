/** Re-scoring on this machine: every metric of stored evaluations, computed anew from their evidence. Nothing is trained, sampled or
 *  evaluated. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { canonicalJson } from '../../schema/parts/hash.ts'
import { planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { metricNamed } from '../science/catalogue/catalogue.ts'
import { retrainIn } from '../science/pair.ts'
import { isSame } from '../science/score.ts'
import type { StageRecord } from '../store/stage-record.ts'
import type { Store } from '../store/store.ts'
import { wantedIn } from './evaluate.ts'
import type { ScoreOrder, Scoring } from './scoring.ts'

/** A value that is new, or another one than before. */
export interface Change {
  /** Of the evaluate stage as it is kept here, or of the job. */
  key: string
  /** Id of the metric. */
  metric: string
  identity: string
  /** Null where there was none under this identity. */
  before: number | null
  after: number
}

/** What could not be computed, and why. */
export interface Problem {
  key: string
  why: string
}

/** An evaluate stage, with the metrics that its benchmarks name. */
export interface Evaluation extends ScoreOrder {
  key: string
}

export interface Found {
  evaluations: Evaluation[]
  /** Stages whose file does not say what they are. */
  nameless: number
  /** Metrics of the benchmarks that this release does not compute: values of them stay as they are. */
  unknown: string[]
}

/** Evaluate stages of the home that these benchmarks have. Benchmarks that differ in how their models were trained share theirs: an
 *  evaluate stage says what it measured, and of the weights only the key. */
export async function findEvaluations(store: Store, benchmarks: readonly Benchmark[]): Promise<Found> {
  const wanted = new Map<string, string[]>()
  const unknown = new Set<string>()
  for (const benchmark of benchmarks) {
    const kind = await kindOf(benchmark)
    const known = benchmark.metrics.filter((named) => metricNamed(benchmark.task.id, named))
    for (const named of benchmark.metrics) if (!known.includes(named)) unknown.add(named)
    wanted.set(kind, [...(wanted.get(kind) ?? []), ...known])
  }
  const found: Found = { evaluations: [], nameless: 0, unknown: [...unknown] }
  for (const key of await store.stageKeys()) {
    const record = await store.readRecord(key)
    if (!record?.spec) {
      found.nameless += 1
      continue
    }
    const { spec, result } = record
    if (spec.kind !== 'evaluate') continue
    const named = wanted.get(alike(spec)) ?? wanted.get(alike(withoutDigest(spec)))
    if (!named) continue
    // A stage doesn't say which retrain is beside it; the values of two models that it has do.
    const retrain = Object.values(result.metrics).flatMap(({ identity }) => retrainIn(identity) ?? [])[0]
    const identities = wantedIn(spec.task, { metrics: [...new Set(named)], retrain })
    found.evaluations.push({ key, task: spec.task, artifacts: result.artifacts, identities, retrain })
  }
  return found
}

/** What its evaluate stages have in common. */
async function kindOf(benchmark: Benchmark): Promise<string> {
  const stages = await planRun(benchmark, { id: 'original', version: 1, trainsOn: 'all' }, {}, 0)
  return alike(stages.at(-1)!.spec)
}

const alike = (spec: StageSpec): string => canonicalJson({ ...spec, inputs: {}, seed: 0 })

/** A benchmark in a file does not say what its images are, a stage does. */
function withoutDigest(spec: StageSpec): StageSpec {
  const { digest: _, ...dataset } = spec.dataset
  return { ...spec, dataset }
}

export interface Rescoring {
  store: Store
  scoring: Scoring
  signal: AbortSignal
  dryRun: boolean
}

export interface Rescored {
  changes: Change[]
  problems: Problem[]
}

/** One stage; its result is written where a value changed, unless it is a dry run. */
export async function rescoreStage(
  { key, task, artifacts, identities, retrain }: Evaluation,
  { store, scoring, signal, dryRun }: Rescoring,
): Promise<Rescored> {
  const outcome = await scoring.score({ task, artifacts, identities, retrain })
  if ('trouble' in outcome) return { changes: [], problems: [{ key, why: outcome.trouble }] }
  const { values, unscored } = outcome
  const problems = unscored.map(({ named, why }) => ({ key, why: `${named}: ${why}` }))
  const record = await store.readRecord(key)
  if (!record) return { changes: [], problems: [...problems, { key, why: 'its file was removed meanwhile' }] }
  const changes = changesIn(key, record, values)
  if (dryRun || changes.length === 0) return { changes, problems }
  const release = await store.lockStage(key, { signal })
  try {
    const newest = await store.readRecord(key)
    if (newest && canonicalJson(newest.result.artifacts) === canonicalJson(artifacts)) {
      const changed = Object.fromEntries(changesIn(key, newest, values).map(({ metric }) => [metric, values[metric]!]))
      const result = { ...newest.result, metrics: { ...newest.result.metrics, ...changed } }
      await store.writeStage(key, result)
      return { changes, problems }
    }
    return { changes: [], problems: [...problems, { key, why: 'it was computed anew meanwhile; rescore once more' }] }
  } finally {
    await release()
  }
}

function changesIn(key: string, { result }: StageRecord, values: StageResult['metrics']): Change[] {
  return Object.entries(values).flatMap(([metric, { identity, value }]) => {
    const known = Object.values(result.metrics).find((other) => other.identity === identity)
    if (known && isSame(known.value, value)) return []
    return [{ key, metric, identity, before: known?.value ?? null, after: value }]
  })
}
