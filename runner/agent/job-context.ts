/** What the parts of the agent share while a job runs. */

import type { FailureReason } from '../../schema/protocol/fail.ts'
import type { RunnerState } from '../../schema/protocol/lease.ts'
import type { Progress, StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import type { Provider } from '../engine/onnx/session.ts'
import type { DataPlaces } from '../store/home.ts'
import type { Store } from '../store/store.ts'
import type { Client } from './client.ts'
import type { Identity } from './identity.ts'
import type { runStageProcess } from './stage-process.ts'

/** What a runner tells whoever watches it. */
export type AgentEvent =
  | { kind: 'leased'; key: string; spec: StageSpec }
  | { kind: 'progress'; key: string; progress: Progress }
  | { kind: 'log'; key: string; line: string }
  | { kind: 'done'; key: string; reused: boolean; result: StageResult }
  | { kind: 'failed'; key: string; reason: FailureReason; message: string }
  | { kind: 'released'; key: string; reason: FailureReason }
  | { kind: 'lost'; key: string; message: string }
  | { kind: 'standing'; standing: RunnerState; reason?: string | undefined }
  | { kind: 'idle'; retryAfterMs: number }
  | { kind: 'trouble'; message: string }

export interface JobContext {
  client: Client
  identity: Identity
  store: Store
  places: DataPlaces
  threads: number
  provider: Provider
  /** Computes a stage. */
  runStage?: typeof runStageProcess
  /** Aborted when the runner stops. */
  signal: AbortSignal
  emit(event: AgentEvent): void
}
