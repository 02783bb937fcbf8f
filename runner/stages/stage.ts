/** The contract of stages: what each is handed, and what it gives back. */
import type { ArtifactRef, Progress, StageResult } from '../../schema/result.ts'
import type { Provider } from '../engine/onnx/session.ts'
import type { Checkpoint } from '../store/checkpoint.ts'
import type { DataPlaces } from '../store/home.ts'
import type { Store } from '../store/store.ts'
import type { DataLoader } from './data.ts'

export interface StageContext {
  store: Store
  data: DataLoader
  /** Where files beside datasets lie, such as the weights of an extractor, models that are files, and lists of images. */
  places?: DataPlaces
  /** Of a stage that can go on half-way. */
  checkpoint?: Checkpoint | undefined
  /** How often such a stage is asked for one; it leaves one at least this often. */
  checkpointEveryMs?: number
  /** Artifacts of an input stage, by name; their bytes are in the store. */
  inputs(key: string): Promise<Record<string, ArtifactRef>>
  /** Identities of the metrics that an evaluate stage is to compute, each up to its first `;`. */
  metrics?: readonly string[] | undefined
  /** SHA-256 of the evidence of retrain of the same seed, in the store: metrics of two models are left out without it. */
  retrain?: string | undefined
  threads: number
  /** Computes also what the store has, from the beginning. */
  force?: boolean | undefined
  /** What the graphs run on; the CPU unless named. */
  provider?: Provider | undefined
  /** This process does nothing but this stage, so that its memory is the stage's. */
  ownProcess?: boolean
  signal: AbortSignal
  onProgress(progress: Progress): void
  log(line: string): void
}

/** What a stage's own code gives; the rest of the result is the same for all. */
export type StageOutcome = Pick<StageResult, 'artifacts' | 'seconds'> & Partial<Pick<StageResult, 'metrics' | 'losses'>>
