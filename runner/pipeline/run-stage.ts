/** Runs one stage: reads its inputs from the store, puts its artifacts there, and gives its result. */
import type { StageResult } from '../../schema/result.ts'
import { type StageSpec, stageKeyOf } from '../../schema/stage.ts'
import { onnxruntimeVersion } from '../engine/onnx/session.ts'
import { deviceOf } from '../machine/device.ts'
import { watchMemory } from '../machine/peak-memory.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { CHECKPOINT_MS, checkpointOf } from '../store/checkpoint.ts'
import { evaluateSamples } from '../tasks/generation/measure.ts'
import { sample } from '../tasks/generation/sample.ts'
import { trainDenoiser } from '../tasks/generation/train-denoiser.ts'
import { unlearnDenoiser } from '../tasks/generation/unlearn-denoiser.ts'
import { version } from '../words/version.ts'
import { evaluate } from './evaluate.ts'
import { train } from './train.ts'
import { unlearn } from './unlearn.ts'

/** Computes a stage, or gives its result at once when the store has it. Throws the signal's reason when aborted, and then
 *  leaves no result behind. */
export async function runStage(
  spec: StageSpec,
  context: StageContext,
): Promise<{ result: StageResult; reused: boolean }> {
  const { store, threads, provider, signal, log } = context
  const key = await stageKeyOf(spec)
  const known = await store.readStage(key)
  if (known) return { result: known, reused: true }
  const release = await store.lockStage(key, {
    signal,
    onWait: () => log('waiting for another process that computes the same stage'),
  })
  try {
    const meanwhile = await store.readStage(key)
    if (meanwhile) return { result: meanwhile, reused: true }
    const everyMs = Math.min(CHECKPOINT_MS, context.checkpointEveryMs ?? CHECKPOINT_MS)
    const checkpoint = context.checkpoint ?? checkpointOf(store.home, key, { everyMs })
    const watch = await watchMemory(provider)
    const outcome = await computeStage(spec, { ...context, checkpoint }).finally(watch.stop)
    const result: StageResult = {
      metrics: {},
      losses: [],
      ...outcome,
      ...(context.ownProcess && { memory: watch.peak() }),
      device: await deviceOf({ threads, provider }),
      versions: { palimpsest: version, onnxruntime: onnxruntimeVersion, node: process.versions.node },
    }
    await store.writeStage(key, result)
    await checkpoint.remove()
    return { result, reused: false }
  } finally {
    await release()
  }
}

function computeStage(spec: StageSpec, context: StageContext): Promise<StageOutcome> {
  switch (spec.kind) {
    case 'train':
      return spec.denoising ? trainDenoiser(spec, spec.denoising, context) : train(spec, context)
    case 'unlearn':
      return spec.denoising ? unlearnDenoiser(spec, spec.denoising, context) : unlearn(spec, context)
    case 'evaluate':
      return evaluate(spec, context)
    case 'sample':
      return sample(spec, context)
    case 'judge':
      return train({ ...spec, without: null }, context)
    case 'evaluate-samples':
      return evaluateSamples(spec, context)
  }
}
