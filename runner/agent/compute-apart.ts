/** Stages of this machine's own runs, each in a process of its own, so that several go on at once. What is done already is read here:
 *  a process takes longer to start than to read. */
import { computationOf } from '../pipeline/computation.ts'
import type { Compute } from '../pipeline/local.ts'
import { runStage } from '../pipeline/run-stage.ts'
import { CHECKPOINT_MS } from '../store/checkpoint.ts'
import type { DataPlaces } from '../store/home.ts'
import { StageFailure } from './failure.ts'
import { runStageProcess } from './stage-process.ts'

export const computeApart =
  (places: DataPlaces): Compute =>
  async (spec, context) => {
    const { store, inputs, metrics = [], retrain, threads, provider = 'cpu', signal, onProgress, log } = context
    if (await store.readStage(await computationOf(spec, context))) return await runStage(spec, context)
    const read = Object.values(spec.inputs).map(async (key) => [key, await inputs(key)] as const)
    try {
      return await runStageProcess({
        spec,
        inputs: Object.fromEntries(await Promise.all(read)),
        metrics,
        retrain,
        home: store.home,
        places,
        threads,
        provider,
        checkpointEveryMs: CHECKPOINT_MS,
        signal,
        onProgress,
        onLog: log,
      })
    } catch (error) {
      // What a run makes of an error goes by its name, wherever it was thrown.
      if (error instanceof StageFailure && error.was !== undefined) error.name = error.was
      throw error
    }
  }
