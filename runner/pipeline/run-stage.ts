/** Runs one stage: reads its inputs from the store, puts its artifacts there, and gives its result. */
import type { StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { onnxruntimeVersion } from '../engine/onnx/session.ts'
import { deviceOf } from '../machine/device.ts'
import { watchMemory } from '../machine/peak-memory.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { CHECKPOINT_MS, checkpointOf } from '../store/checkpoint.ts'
import { version } from '../words/version.ts'
import { computationOf } from './computation.ts'
import { evaluate, missingOf, scores, wantedIn } from './evaluate.ts'
import { metricSources } from './sources.ts'
import { runnerTask } from './tasks.ts'
import { train } from './train.ts'
import { unlearn } from './unlearn.ts'

/** Computes a stage, or gives its result at once when the store has it of the same computation. Throws the signal's reason when aborted, and then
 *  leaves no result behind. */
export async function runStage(
  spec: StageSpec,
  context: StageContext,
): Promise<{ result: StageResult; reused: boolean }> {
  const { store, threads, provider, signal, log } = context
  const key = await computationOf(spec, context)
  const known = context.force ? null : await store.readStage(key)
  if (known) return { result: await completed(key, spec, known, context), reused: true }
  const release = await store.lockStage(key, {
    signal,
    onWait: () => log('waiting for another process that computes the same stage'),
  })
  try {
    const meanwhile = context.force ? null : await store.readStage(key)
    if (meanwhile) return { result: await completed(key, spec, meanwhile, context), reused: true }
    const everyMs = Math.min(CHECKPOINT_MS, context.checkpointEveryMs ?? CHECKPOINT_MS)
    const checkpoint = context.checkpoint ?? checkpointOf(store.home, key, { everyMs })
    if (context.force) await checkpoint.remove()
    const watch = await watchMemory(provider)
    const outcome = await computeStage(spec, { ...context, checkpoint }).finally(watch.stop)
    const result: StageResult = {
      metrics: {},
      losses: [],
      ...outcome,
      ...(context.ownProcess && { memory: watch.peak() }),
      device: await deviceOf({ threads, provider }),
      versions: { palimpsest: version, onnxruntime: onnxruntimeVersion(), node: process.versions.node },
    }
    await store.writeStage(key, result, spec, await metricSources(spec.task, Object.keys(result.metrics)))
    await checkpoint.remove()
    return { result, reused: false }
  } finally {
    await release()
  }
}

function computeStage(spec: StageSpec, context: StageContext): Promise<StageOutcome> {
  switch (spec.kind) {
    case 'train':
      return train(spec, context)
    case 'unlearn':
      return unlearn(spec, context)
    case 'evaluate':
      return evaluate(spec, context)
    default: {
      // It takes stages of the kind that it is found by.
      const own = runnerTask(spec.task)[spec.kind] as
        | ((...args: Parameters<typeof computeStage>) => Promise<StageOutcome>)
        | undefined
      if (!own) throw new ConfigurationError(`the task ${spec.task} has no stage of the kind "${spec.kind}"`)
      return own(spec, context)
    }
  }
}

/** Adds the metrics that are wanted and that a result from before does not hold, or holds by another source, from its evidence. */
async function completed(
  key: string,
  spec: StageSpec,
  result: StageResult,
  context: StageContext,
): Promise<StageResult> {
  const { store, metrics = [] } = context
  if (spec.kind !== 'evaluate' || metrics.length === 0) return result
  const { sources = {} } = (await store.readRecord(key)) ?? {}
  const now = await metricSources(spec.task, Object.keys(result.metrics))
  const valid = Object.entries(result.metrics).filter(([id]) => !sources[id] || sources[id] === now[id])
  const missing = missingOf({ metrics: Object.fromEntries(valid) }, wantedIn(spec.task, context))
  if (missing.length === 0) return result
  const added = await scores(spec.task, result, { ...context, wanted: missing })
  const whole = { ...result, metrics: { ...result.metrics, ...added } }
  await store.writeStage(key, whole, spec, await metricSources(spec.task, Object.keys(added)))
  return whole
}
