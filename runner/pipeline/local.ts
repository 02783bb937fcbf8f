/** Runs methods on benchmarks in this process, without a server: first seeds of all before second seeds, and of each seed retrain
 *  before the methods. */
import { type Benchmark, isMetric } from '../../schema/benchmark.ts'
import type { Path } from '../../schema/path.ts'
import { type PlannableMethod, type PlannedStage, planRun } from '../../schema/plan.ts'
import type { Progress, StageResult } from '../../schema/result.ts'
import type { Every } from '../../schema/stage.ts'
import { closerToRetrain, ofTwoModels } from '../science/catalogue/catalogue.ts'
import { avgGapOf, fractionOfRetrain, gapsOf, makerOf, secondsOf } from '../science/comparison.ts'
import { retrainIn, withoutRetrain } from '../science/pair.ts'
import { besideRetrain, type PointBesideRetrain } from '../science/path.ts'
import { EVIDENCE } from '../science/task.ts'
import type { StageContext } from '../stages/stage.ts'
import { atOnce } from './at-once.ts'
import { pathIn } from './path.ts'
import { runStage } from './run-stage.ts'

export interface LocalMethod extends PlannableMethod {
  params: Record<string, unknown>
  /** Tells settings of one method apart where there are several, such as `learningRate=0.01`. */
  variant?: string | undefined
}

/** What is one row: a method, or one of several settings of it. */
export const rowOf = ({ method, variant }: { method: string; variant?: string | undefined }): string =>
  variant === undefined ? method : `${method} ${variant}`

const rowOfMethod = ({ id, variant }: LocalMethod) => rowOf({ method: id, variant })

/** A stage that one or more of the runs need. */
export interface LocalStage extends PlannedStage {
  /** The first run that needs it. */
  method: string
  variant?: string | undefined
  seed: number
}

export interface LocalPlan {
  /** The reference first. */
  runs: { benchmark: Benchmark; method: LocalMethod; seed: number; stages: PlannedStage[] }[]
  /** Each once, in the order in which they run. */
  stages: LocalStage[]
  reference: string
}

type Values = Record<string, number>

export interface LocalRun {
  /** Its slug. */
  benchmark: string
  method: string
  variant?: string | undefined
  seed: number
  /** By metric id, in the metric's unit; the same for retrain with this seed, which has none of two models, and the signed differences. */
  metrics: Values
  retrain: Values
  gaps: Values
  /** Null where no metric is better the closer it is to retrain. */
  avgGap: number | null
  /** Set-up, mask and unlearning; for a method that is a training, set-up and training. */
  seconds: number
  mask: number | null
  /** Over retrain's seconds with this seed; null when it ran on another device class. */
  fractionOfRetrain: number | null
  deviceClass: string
  /** The way from the original, of a run that was looked at along it. */
  path?: LocalPath
  stages: { key: string; kind: string; result: StageResult }[]
}

export interface LocalPath extends Pick<Path, 'every' | 'metrics'> {
  points: PointBesideRetrain[]
}

export async function planLocal(
  benchmarks: Benchmark[],
  {
    reference,
    methods,
    seeds,
    every,
  }: { reference: LocalMethod; methods: LocalMethod[]; seeds: number[]; every?: Every | undefined },
): Promise<LocalPlan> {
  const runs: LocalPlan['runs'] = []
  const stages = new Map<string, LocalStage>()
  const chosen = [reference, ...methods.filter(({ id }) => id !== reference.id)]
  const places = seeds.flatMap((seed) => benchmarks.map((benchmark) => ({ benchmark, seed })))
  for (const { benchmark, seed } of places) {
    for (const method of chosen) {
      const planned = await planRun(benchmark, method, method.params, seed, { every })
      runs.push({ benchmark, method, seed, stages: planned })
      for (const stage of planned) {
        if (!stages.has(stage.key)) stages.set(stage.key, { ...stage, ...named(method), seed })
      }
    }
  }
  return { runs, stages: [...stages.values()], reference: reference.id }
}

const named = ({ id, variant }: LocalMethod) => ({ method: id, ...(variant !== undefined && { variant }) })

/** Computes a stage: here, or in a process of its own. */
export type Compute = typeof runStage

export interface LocalEvents {
  onBegin(stage: LocalStage): void
  onProgress(stage: LocalStage, progress: Progress): void
  onEnd(stage: LocalStage, outcome: { result: StageResult; reused: boolean }): void
  /** A stage came to no result. */
  onFail?(stage: LocalStage): void
  /** All stages of a run are done, and so are those of its reference. */
  onRun(run: LocalRun): void
  /** A method diverged: what is left of it is skipped, and the others go on. Where this is left out, it ends all. */
  onDrop?(dropped: Dropped): void
}

/** A method that came to no result, with the first run of it that did not. */
export interface Dropped {
  benchmark: string
  method: string
  variant?: string | undefined
  seed: number
  error: Error
}

/** Throws the signal's reason when aborted; stages that were finished stay in the store, so the next call goes on there. A
 *  reference that diverges always ends all, since every score is compared with it. With `jobs`, so many runs go on at once. */
export async function runLocal(
  plan: LocalPlan,
  context: Omit<StageContext, 'inputs' | 'onProgress'>,
  events: LocalEvents,
  { jobs = 1, compute = runStage }: { jobs?: number; compute?: Compute } = {},
): Promise<LocalRun[]> {
  const results = new Map<string, StageResult>()
  const planned = new Map(plan.stages.map((stage) => [stage.key, stage]))
  /** Stages that have begun, which several runs may wait for, by key. */
  const begun = new Map<string, Promise<void>>()
  const references = new Map<string, Promise<LocalRun>>()
  const inputs = async (key: string) => results.get(key)?.artifacts ?? {}
  const dropped = new Set<string>()
  const ended = new AbortController()
  const signal = AbortSignal.any([context.signal, ended.signal])

  async function finish(stage: LocalStage, asked: Pick<StageContext, 'metrics' | 'retrain'>): Promise<void> {
    signal.throwIfAborted()
    events.onBegin(stage)
    const onProgress = (progress: Progress) => events.onProgress(stage, progress)
    try {
      const outcome = await compute(stage.spec, { ...context, ...asked, signal, onProgress, inputs })
      results.set(stage.key, outcome.result)
      events.onEnd(stage, outcome)
    } catch (error) {
      events.onFail?.(stage)
      throw error
    }
  }

  async function measure({ benchmark, method, seed, stages }: LocalPlan['runs'][number]): Promise<LocalRun> {
    const { slug, metrics } = benchmark
    const referenceOf = async () => (method.id === plan.reference ? undefined : await references.get(`${slug} ${seed}`))
    for (const { key, spec } of stages) {
      const isOfTwo = spec.kind === 'evaluate' && ofTwoModels(benchmark).length > 0
      const retrain = isOfTwo ? evidenceOf(await referenceOf()) : undefined
      if (!begun.has(key)) begun.set(key, finish(planned.get(key)!, { metrics, retrain }))
      await begun.get(key)
    }
    const done = stages.map(({ key, spec }) => ({ key, kind: spec.kind, result: results.get(key)! }))
    const reference = await referenceOf()
    const run = runOf({ benchmark: slug, ...named(method), seed, stages: done }, reference, benchmark)
    const path = await pathIn(makerOf(done)!.result.artifacts, context.store)
    const retrain = (reference ?? run).stages.at(-1)!.result.metrics
    return path ? { ...run, path: { ...path, points: besideRetrain(path, retrain) } } : run
  }

  const runs = await atOnce(plan.runs, jobs, async (planned) => {
    const { benchmark, method, seed } = planned
    const row = rowOfMethod(method)
    if (dropped.has(row)) return null
    try {
      const measuring = measure(planned)
      if (method.id === plan.reference) references.set(`${benchmark.slug} ${seed}`, measuring)
      const run = await measuring
      events.onRun(run)
      return run
    } catch (error) {
      if (events.onDrop && method.id !== plan.reference && isFruitless(error)) {
        if (!dropped.has(row)) events.onDrop({ benchmark: benchmark.slug, ...named(method), seed, error })
        dropped.add(row)
        return null
      }
      ended.abort(error)
      throw error
    }
  })
  return runs.filter((run) => run !== null)
}

/** Weights that are not finite, or so large that what they answer is not; a method that is not for this model or data, or
 *  one of a file that breaks off. By name, since the error may come from another process. */
export const isFruitless = (error: unknown): error is Error =>
  error instanceof Error && ['DivergenceError', 'MethodFault', 'MetricError', 'UnfitError'].includes(error.name)

/** Without a reference the run is the reference itself. */
function runOf(
  own: Pick<LocalRun, 'benchmark' | 'method' | 'variant' | 'seed' | 'stages'>,
  reference: LocalRun | undefined,
  benchmark: Benchmark,
): LocalRun {
  const { stages } = own
  const maker = makerOf(stages)!.result
  const seconds = secondsOf(maker.seconds)
  const metrics = valuesOf(stages.at(-1)!.result, evidenceOf(reference), benchmark)
  const retrain = reference?.metrics ?? metrics
  const { deviceClass } = maker.device
  return {
    ...own,
    metrics,
    retrain,
    gaps: gapsOf(metrics, retrain),
    avgGap: avgGapOf(metrics, retrain, closerToRetrain(benchmark)),
    seconds,
    mask: maker.seconds.mask ?? null,
    fractionOfRetrain: fractionOfRetrain({ seconds, deviceClass }, reference ?? { seconds, deviceClass }),
    deviceClass,
  }
}

const evidenceOf = (reference: LocalRun | undefined): string | undefined =>
  reference?.stages.at(-1)?.result.artifacts[EVIDENCE]?.sha256

/** A store keeps values of two models from other benchmarks, and beside what retrain answered earlier. */
const valuesOf = ({ metrics }: StageResult, retrain: string | undefined, { metrics: named }: Benchmark): Values =>
  Object.fromEntries(
    Object.entries(metrics).flatMap(([id, { identity, value }]) => {
      const beside = retrainIn(identity)
      const counts = beside === retrain && named.some((each) => isMetric(each, withoutRetrain(identity)))
      return beside === null || counts ? [[id, value]] : []
    }),
  )
