/** Runs one stage: reads its inputs from the store, puts its artifacts there, and gives its result. */
import { availableParallelism, cpus } from 'node:os'
import type { ArtifactRef, Device, Progress, StageResult } from '../../schema/result.ts'
import { type StageSpec, stageKeyOf } from '../../schema/stage.ts'
import type { LoadOptions } from '../dataset.ts'
import { onnxruntimeVersion } from '../onnx/session.ts'
import { type Checkpoint, checkpointOf } from '../store/checkpoint.ts'
import type { Store } from '../store/store.ts'
import { version } from '../version.ts'
import type { DataLoader } from './data.ts'
import { evaluate } from './evaluate.ts'
import { evaluateSamples } from './evaluate-samples.ts'
import { sample } from './sample.ts'
import { train } from './train.ts'
import { trainDenoiser } from './train-denoiser.ts'
import { unlearn } from './unlearn.ts'
import { unlearnDenoiser } from './unlearn-denoiser.ts'

export interface StageContext {
  store: Store
  data: DataLoader
  /** Where files beside datasets lie, such as the weights of an extractor. */
  places?: Pick<LoadOptions, 'directories' | 'cache'>
  /** Of a stage that can go on half-way. */
  checkpoint?: Checkpoint | undefined
  /** Artifacts of an input stage, by name; their bytes are in the store. */
  inputs(key: string): Promise<Record<string, ArtifactRef>>
  threads: number
  signal: AbortSignal
  onProgress(progress: Progress): void
  log(line: string): void
}

/** What a stage's own code gives; the rest of the result is the same for all. */
export type StageOutcome = Pick<StageResult, 'artifacts' | 'seconds'> & Partial<Pick<StageResult, 'metrics' | 'losses'>>

/** Times of two results are compared only when their device classes are equal. */
export function deviceOf(threads: number): Device {
  const count = threads > 0 ? threads : availableParallelism()
  const name = (cpus()[0]?.model ?? 'unknown processor').replace(/\s+/g, ' ').trim()
  return { deviceClass: `cpu/${name}/${count} threads`, provider: 'cpu', precision: 'float32', threads: count }
}

/** Computes a stage, or gives its result at once when the store has it. Throws the signal's reason when aborted, and then
 *  leaves no result behind. */
export async function runStage(
  spec: StageSpec,
  context: StageContext,
): Promise<{ result: StageResult; reused: boolean }> {
  const { store, threads, signal, log } = context
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
    const checkpoint = context.checkpoint ?? checkpointOf(store.home, key)
    const outcome = await computeStage(spec, { ...context, checkpoint })
    const result: StageResult = {
      metrics: {},
      losses: [],
      ...outcome,
      device: deviceOf(threads),
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
