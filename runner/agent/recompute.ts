/** Every number that a run shows, computed again on this machine: metrics from the evidence that was signed, times from what was
 *  signed, and gaps from both. Nothing that the server computed is believed. */
import type { Run, RunStage } from '../../schema/api/run.ts'
import { canonicalJson } from '../../schema/parts/hash.ts'
import type { ArtifactRef, StageResult } from '../../schema/result.ts'
import type { Scoring } from '../pipeline/scoring.ts'
import { closerToRetrain, metricNamed, ofTwoModels, REFERENCE, scienceTasks } from '../science/catalogue/catalogue.ts'
import { avgGapOf, fractionOfRetrain, makerOf, secondsOf } from '../science/comparison.ts'
import { retrainIn } from '../science/pair.ts'
import { isSame } from '../science/score.ts'
import { EVIDENCE } from '../science/task.ts'
import type { Store } from '../store/store.ts'
import type { Api } from './api.ts'
import { downloadArtifact } from './artifacts.ts'
import type { Client } from './client.ts'
import { StageFailure } from './failure.ts'
import { type Check, type CheckedStage, verifyStage } from './verify.ts'

export interface Recomputing {
  client: Client
  api: Api
  scoring: Scoring
  /** Evidence is kept here, so that what runs share comes once. */
  store: Store
  /** The only key that is believed. */
  trusted?: string | undefined
  signal: AbortSignal
  /** Told of each stage before it is looked at, and of what was found. */
  onStage?: (stage: RunStage, found?: CheckedStage) => void
}

/** What is true of a run, as far as its stages are done. */
export interface Recomputed {
  run: Run
  stages: CheckedStage[]
  /** Metrics by id, each under its full identity; what cannot be computed is a problem. */
  values: StageResult['metrics']
  problems: Check[]
  /** The evidence that its runner signed; null until there is any. */
  evidence: ArtifactRef | null
  seconds: number | null
  mask: number | null
  deviceClass: string | null
}

export type Recompute = (id: string) => Promise<Recomputed>

/** Looks at each run once, however often it is asked for. */
export function recomputing(context: Recomputing): Recompute {
  const known = new Map<string, Promise<Recomputed>>()
  const recompute: Recompute = (id) => {
    const found = known.get(id) ?? recomputed(id, context, recompute)
    known.set(id, found)
    return found
  }
  return recompute
}

async function recomputed(id: string, context: Recomputing, recompute: Recompute): Promise<Recomputed> {
  const { client, api, trusted, onStage } = context
  const run = await api.run(id)
  const stages: CheckedStage[] = []
  const signed = new Map<string, StageResult>()
  for (const stage of run.stages.filter(({ state }) => state === 'done')) {
    onStage?.(stage)
    const { result, ...found } = await verifyStage(client, stage, trusted)
    onStage?.(stage, found)
    stages.push(found)
    if (result) signed.set(stage.key, result)
  }
  const evaluation = run.stages.findLast(({ spec }) => spec.kind === 'evaluate')
  const evidence = evaluation && signed.get(evaluation.key)
  // Of a run that is beside retrain of another; retrain itself has no values of two models.
  const beside = run.reference !== null && run.reference !== run.id && run.method !== REFERENCE
  const isOfTwo = beside && ofTwoModels(run.benchmark).length > 0
  const retrain = evidence && isOfTwo ? (await recompute(run.reference!)).evidence : null
  const { values, problems } = evidence
    ? await valuesOf(run, evidence, { ...context, retrain })
    : { values: {}, problems: [] }
  const maker = makerOf(run.stages.map(({ key, spec }) => ({ key, kind: spec.kind })))
  // Until it is evaluated, a run shows no number.
  const made = maker && evidence ? signed.get(maker.key) : undefined
  return {
    ...{ run, stages, values, problems },
    evidence: evidence?.artifacts[EVIDENCE] ?? null,
    seconds: made ? secondsOf(made.seconds) : null,
    mask: made?.seconds.mask ?? null,
    deviceClass: made?.device.deviceClass ?? null,
  }
}

/** The metrics of the benchmark, from the files that the evaluation's runner signed. */
async function valuesOf(
  { benchmark }: Run,
  { artifacts, metrics }: StageResult,
  { client, store, scoring, signal, retrain }: Recomputing & { retrain: ArtifactRef | null },
): Promise<Pick<Recomputed, 'values' | 'problems'>> {
  const task = benchmark.task.id
  const known = benchmark.metrics.filter((named) => metricNamed(task, named))
  const identities = known.filter((named) => retrain || !ofTwoModels(benchmark).includes(named))
  const problems: Check[] = benchmark.metrics
    .filter((named) => !known.includes(named))
    .map((named) => ({ part: named, problem: 'this release does not compute it; use the one that the server has' }))
  try {
    const transfer = { client, store, signal, say: () => {}, onProgress: () => {} }
    for (const name of scienceTasks.get(task)?.files ?? []) {
      const ref = artifacts[name]
      if (ref) await downloadArtifact(transfer, name, ref)
    }
    if (retrain) await downloadArtifact(transfer, EVIDENCE, retrain)
  } catch (error) {
    if (!(error instanceof StageFailure)) throw error
    return { values: {}, problems: [...problems, { part: 'evidence', problem: error.message }] }
  }
  const outcome = await scoring.score({ task, artifacts, identities, retrain: retrain?.sha256 })
  if ('trouble' in outcome)
    return { values: {}, problems: [...problems, { part: 'evidence', problem: outcome.trouble }] }
  for (const { named, why } of outcome.unscored) problems.push({ part: named, problem: why })
  for (const [id, { identity, value }] of Object.entries(outcome.values)) {
    const claim = metrics[id]
    // A runner may have compared with what retrain answered elsewhere.
    const isOther = retrainIn(identity) !== null && claim?.identity !== identity
    if (!claim || isOther || isSame(claim.value, value)) continue
    problems.push({ part: id, problem: `its runner signed ${claim.value}, the evidence gives ${value}` })
  }
  return { values: outcome.values, problems }
}

/** What the page of a run shows, held against what is true of it and of its retrain run. */
export async function numbersOf(own: Recomputed, recompute: Recompute): Promise<Check[]> {
  const { run, values, problems } = own
  const retrain = run.reference === null ? null : run.reference === run.id ? own : await recompute(run.reference)
  const checks: Check[] = [...problems]
  if (retrain && retrain !== own) {
    const { seed, benchmark, method } = retrain.run
    const alike = seed === run.seed && method === 'retrain' && canonicalJson(benchmark) === canonicalJson(run.benchmark)
    checks.push({
      part: 'retrain',
      problem: alike ? null : `${retrain.run.id} is no retrain run of this benchmark and seed`,
    })
  }
  for (const [id, shown] of Object.entries(run.metrics)) {
    const value = values[id]?.value
    const reference = retrain?.values[id]?.value ?? null
    checks.push(compared(id, shown.value, value ?? null))
    checks.push(compared(`${id} of retrain`, shown.retrain, reference))
    checks.push(compared(`${id} gap`, shown.gap, value === undefined || reference === null ? null : value - reference))
    const identity = values[id]?.identity
    if (identity !== shown.identity) {
      checks.push({ part: `${id} identity`, problem: `the page shows ${shown.identity}, it is ${identity ?? 'none'}` })
    }
  }
  for (const [id, { value }] of Object.entries(values)) {
    if (!run.metrics[id]) checks.push(compared(id, null, value))
  }
  checks.push(compared('Avg. Gap', run.avgGap, avgGap(own, retrain)))
  checks.push(compared('seconds', run.seconds, own.seconds))
  checks.push(compared('fraction of retrain', run.fractionOfRetrain, fraction(own, retrain)))
  return checks
}

export const plain = (values: StageResult['metrics']): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([id, { value }]) => [id, value]))

/** Of one run beside the retrain run of its seed. */
export function avgGap({ run, values }: Recomputed, retrain: Recomputed | null): number | null {
  const closer = closerToRetrain(run.benchmark)
  return Object.keys(values).length > 0
    ? avgGapOf(plain(values), retrain ? plain(retrain.values) : undefined, closer)
    : null
}

export function fraction(own: Recomputed, retrain: Recomputed | null): number | null {
  const timed = ({ seconds, deviceClass }: Recomputed) =>
    seconds === null || deviceClass === null ? undefined : { seconds, deviceClass }
  const time = timed(own)
  return time ? fractionOfRetrain(time, retrain ? timed(retrain) : undefined) : null
}

/** Two numbers that should be one. */
export function compared(part: string, shown: number | null | undefined, actual: number | null | undefined): Check {
  if (shown == null && actual == null) return { part, problem: null }
  if (shown != null && actual != null && isSame(shown, actual)) return { part, problem: null }
  return { part, problem: `the server shows ${shown ?? 'none'}, what was signed gives ${actual ?? 'none'}` }
}
