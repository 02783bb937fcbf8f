/** What a runner and the process of a stage say to each other. */
import type { FailureReason } from '../../schema/protocol/fail.ts'
import type { ArtifactRef, Progress, StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import type { Provider } from '../engine/onnx/session.ts'
import type { DataPlaces } from '../store/home.ts'

export interface StageOrder {
  spec: StageSpec
  /** Artifacts of each input stage; their bytes are in the store. */
  inputs: Record<string, Record<string, ArtifactRef>>
  /** Identities of the metrics that an evaluation is to compute. */
  metrics: readonly string[]
  /** SHA-256 of the evidence of retrain, for metrics of two models; its bytes are in the store. */
  retrain?: string | undefined
  /** Home of the store. */
  home: string
  places: DataPlaces
  threads: number
  provider: Provider
  /** The server wants a checkpoint this often. */
  checkpointEveryMs: number
}

export type ToStage = { kind: 'run'; order: StageOrder } | { kind: 'abort' }

export type FromStage =
  | { kind: 'progress'; progress: Progress }
  | { kind: 'log'; line: string }
  | { kind: 'result'; result: StageResult; reused: boolean }
  | { kind: 'error'; reason: FailureReason; message: string; was?: string | undefined }
  /** This machine is at fault, not the stage. */
  | { kind: 'local-fault'; message: string }
