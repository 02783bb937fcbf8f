/** The evaluate stage: its task measures evidence, metrics follow from evidence. Which metrics are wanted is no part of the stage,
 *  so that more of them are computed from what is there. */
import { isMetric } from '../../schema/benchmark.ts'
import type { ArtifactRef, StageResult } from '../../schema/result.ts'
import type { StageOf } from '../../schema/stage.ts'
import { openMetricTools } from '../engine/metric-tools.ts'
import { type Tensor, writeSafetensors } from '../formats/safetensors.ts'
import { MetricError } from '../science/metric.ts'
import { retrainIn, withRetrain } from '../science/pair.ts'
import { metricNamed, scoreEvidence } from '../science/score.ts'
import { SPLIT } from '../science/task.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import { splitFor } from '../stages/split.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { readEvidence, readRetrain } from './evidence.ts'
import { runnerTask, scienceTask } from './tasks.ts'

export async function evaluate(spec: StageOf<'evaluate'>, context: StageContext): Promise<StageOutcome> {
  const { artifacts, ...rest } = await runnerTask(spec.task).measure(spec, context)
  const measured = { ...rest, artifacts: { ...artifacts, [SPLIT]: await saveSplit(spec, context) } }
  const began = performance.now()
  const metrics = await scores(spec.task, measured, { ...context, wanted: wantedIn(spec.task, context) })
  const seconds = (performance.now() - began) / 1000
  const { evaluate = 0, ...before } = measured.seconds
  return { ...measured, metrics, seconds: { ...before, evaluate: evaluate + seconds } }
}

async function saveSplit(spec: StageOf<'evaluate'>, context: StageContext): Promise<ArtifactRef> {
  const loaded = await context.data(spec.dataset, { signal: context.signal })
  const { forget, retain } = await splitFor(spec, loaded, context)
  const tensor = (data: Int32Array): Tensor => ({ dtype: 'I32', shape: [data.length], data })
  const sets = new Map([
    ['forget', tensor(forget)],
    ['retain', tensor(retain)],
  ])
  return await context.store.put(writeSafetensors(sets))
}

/** Of the wanted metrics, those that a result does not hold yet. */
export const missingOf = ({ metrics }: Pick<StageResult, 'metrics'>, wanted: readonly string[]): string[] =>
  wanted.filter((named) => !Object.values(metrics).some(({ identity }) => isMetric(named, identity)))

/** The metrics that are wanted: those of two models beside the evidence of retrain that is there, and left out where there is none. */
export function wantedIn(task: string, { metrics = [], retrain }: Pick<StageContext, 'metrics' | 'retrain'>): string[] {
  const science = scienceTask(task)
  return metrics.flatMap((named) => {
    if (!metricNamed(science, named)?.[1].against) return named
    return retrain === undefined ? [] : withRetrain(named, retrain)
  })
}

/** The wanted metrics, from the evidence that a stage left in the store. Throws ConfigurationError for one that this release does
 *  not compute on it. */
export async function scores(
  task: string,
  { artifacts }: Pick<StageResult, 'artifacts'>,
  context: Pick<StageContext, 'store' | 'threads' | 'signal' | 'onProgress' | 'log' | 'retrain'> & { wanted: string[] },
): Promise<StageResult['metrics']> {
  const { store, threads, signal, onProgress, log, retrain, wanted } = context
  if (wanted.length === 0) return {}
  const science = scienceTask(task)
  const evidence = await readEvidence(science, artifacts, store)
  const ofTwo = wanted.some((named) => retrainIn(named) !== null)
  const reference = await readRetrain(science, artifacts, { store, retrain: ofTwo ? retrain : undefined })
  onProgress({ phase: 'metrics', done: 0, total: wanted.length, unit: 'metrics' })
  const tools = openMetricTools({ threads, signal, onProgress })
  try {
    const { values, warnings } = await scoreEvidence(science, evidence, wanted, tools, { reference })
    for (const [id, { value }] of Object.entries(values)) log(`${id} ${value.toFixed(4)}`)
    for (const [id, warning] of Object.entries(warnings)) log(`${id}: ${warning}`)
    return values
  } catch (error) {
    if (error instanceof MetricError && /^no metric /.test(error.message)) throw new ConfigurationError(error.message)
    throw error
  } finally {
    await tools.release()
  }
}
