/** Runs methods on benchmarks in this process, without a server: first seeds of all before second seeds, and of each seed retrain
 *  before the methods. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { type PlannableMethod, type PlannedStage, planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import { DivergenceError } from '../engine/training/trainer.ts'
import { closerToRetrain } from '../science/catalogue/catalogue.ts'
import { avgGapOf, fractionOfRetrain, gapsOf, makerOf, secondsOf } from '../science/comparison.ts'
import { UnfitError } from '../science/method.ts'
import { MetricError } from '../science/metric.ts'
import type { StageContext } from '../stages/stage.ts'
import { runStage } from './run-stage.ts'

export interface LocalMethod extends PlannableMethod {
  params: Record<string, unknown>
}

/** A stage that one or more of the runs need. */
export interface LocalStage extends PlannedStage {
  /** The first run that needs it. */
  method: string
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
  seed: number
  /** By metric id, in the metric's unit; the same for retrain with this seed, and the signed differences. */
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
  stages: { key: string; kind: string; result: StageResult }[]
}

export async function planLocal(
  benchmarks: Benchmark[],
  { reference, methods, seeds }: { reference: LocalMethod; methods: LocalMethod[]; seeds: number[] },
): Promise<LocalPlan> {
  const runs: LocalPlan['runs'] = []
  const stages = new Map<string, LocalStage>()
  const chosen = [reference, ...methods.filter(({ id }) => id !== reference.id)]
  const places = seeds.flatMap((seed) => benchmarks.map((benchmark) => ({ benchmark, seed })))
  for (const { benchmark, seed } of places) {
    for (const method of chosen) {
      const planned = await planRun(benchmark, method, method.params, seed)
      runs.push({ benchmark, method, seed, stages: planned })
      for (const stage of planned) {
        if (!stages.has(stage.key)) stages.set(stage.key, { ...stage, method: method.id, seed })
      }
    }
  }
  return { runs, stages: [...stages.values()], reference: reference.id }
}

export interface LocalEvents {
  onBegin(stage: LocalStage): void
  onEnd(stage: LocalStage, outcome: { result: StageResult; reused: boolean }): void
  /** All stages of a run are done, and so are those of its reference. */
  onRun(run: LocalRun): void
  /** A method diverged: what is left of it is skipped, and the others go on. Where this is left out, it ends all. */
  onDrop?(dropped: Dropped): void
}

/** A method that came to no result, with the first run of it that did not. */
export interface Dropped {
  benchmark: string
  method: string
  seed: number
  error: Error
}

/** Throws the signal's reason when aborted; stages that were finished stay in the store, so the next call goes on there. A
 *  reference that diverges always ends all, since every score is compared with it. */
export async function runLocal(
  plan: LocalPlan,
  context: Omit<StageContext, 'inputs'>,
  events: LocalEvents,
): Promise<LocalRun[]> {
  const results = new Map<string, StageResult>()
  const planned = new Map(plan.stages.map((stage) => [stage.key, stage]))
  const references = new Map<string, LocalRun>()
  const runs: LocalRun[] = []
  const inputs = async (key: string) => results.get(key)?.artifacts ?? {}
  const dropped = new Set<string>()
  /** Stages of which several methods may have need, by key. */
  const fruitless = new Map<string, Error>()
  const finish = async ({ key, spec }: PlannedStage, metrics: string[]) => {
    if (results.has(key)) return
    const before = fruitless.get(key)
    if (before) throw before
    const stage = planned.get(key)!
    events.onBegin(stage)
    try {
      const outcome = await runStage(spec, { ...context, metrics, inputs })
      results.set(key, outcome.result)
      events.onEnd(stage, outcome)
    } catch (error) {
      if (isFruitless(error)) fruitless.set(key, error)
      throw error
    }
  }
  for (const { benchmark, method, seed, stages } of plan.runs) {
    const { slug, metrics } = benchmark
    const place = `${slug} ${seed}`
    if (dropped.has(method.id)) continue
    try {
      for (const stage of stages) await finish(stage, metrics)
    } catch (error) {
      if (!events.onDrop || method.id === plan.reference || !isFruitless(error)) throw error
      dropped.add(method.id)
      events.onDrop({ benchmark: slug, method: method.id, seed, error })
      continue
    }
    const done = stages.map(({ key, spec }) => ({ key, kind: spec.kind, result: results.get(key)! }))
    const run = runOf(
      { benchmark: slug, method: method.id, seed, stages: done },
      references.get(place),
      closerToRetrain(benchmark),
    )
    if (method.id === plan.reference) references.set(place, run)
    runs.push(run)
    events.onRun(run)
  }
  return runs
}

/** Weights that are not finite, or so large that what they answer is not; or a method that is not for this model or data. */
const isFruitless = (error: unknown): error is Error =>
  error instanceof DivergenceError || error instanceof MetricError || error instanceof UnfitError

/** Without a reference the run is the reference itself. */
function runOf(
  own: Pick<LocalRun, 'benchmark' | 'method' | 'seed' | 'stages'>,
  reference: LocalRun | undefined,
  closer: string[],
): LocalRun {
  const { stages } = own
  const maker = makerOf(stages)!.result
  const seconds = secondsOf(maker.seconds)
  const metrics = Object.fromEntries(
    Object.entries(stages.at(-1)!.result.metrics).map(([id, { value }]) => [id, value]),
  )
  const retrain = reference?.metrics ?? metrics
  const { deviceClass } = maker.device
  return {
    ...own,
    metrics,
    retrain,
    gaps: gapsOf(metrics, retrain),
    avgGap: avgGapOf(metrics, retrain, closer),
    seconds,
    mask: maker.seconds.mask ?? null,
    fractionOfRetrain: fractionOfRetrain({ seconds, deviceClass }, reference ?? { seconds, deviceClass }),
    deviceClass,
  }
}
