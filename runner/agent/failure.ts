/** Why a stage failed, in the closed words of the protocol. */
import type { FailureReason } from '../../schema/protocol/fail.ts'

/** A stage that ended without a result. */
export class StageFailure extends Error {
  override name = 'StageFailure'
  readonly reason: FailureReason
  /** Name of the error that it was, where that is known. */
  readonly was: string | undefined

  constructor(reason: FailureReason, message: string, was?: string) {
    super(message)
    this.reason = reason
    this.was = was
  }
}

/** By the name of the error, since it may come from another process or module graph. */
const byName: Record<string, FailureReason> = {
  ConfigurationError: 'configuration',
  ZodError: 'configuration',
  UnfitError: 'configuration',
  MethodFault: 'configuration',
  DivergenceError: 'numeric_divergence',
  DatasetError: 'dependency',
  ImageError: 'image_error',
  StoreError: 'dependency',
  InputError: 'input',
  SafetensorsError: 'dependency',
  MetricError: 'evaluator_bug',
}

/** What CUDA says when the device or its driver is gone, rather than when a kernel is refused. */
const GPU_LOST =
  /(device|gpu)[ _](is |was |has been )?(lost|removed|reset)|fallen off the bus|cudaErrorDevicesUnavailable|cudaErrorECCUncorrectable|CUDA (failure|error) (46|100|101|214|999)\b|no CUDA-capable device/i
const OUT_OF_MEMORY = /ENOMEM|out of memory|allocation failed|failed to allocate|bad_?alloc|bad allocation/i

export function failureOf(error: unknown): StageFailure {
  if (error instanceof StageFailure) return error
  const { name, message, code } = (error instanceof Error ? error : new Error(String(error))) as NodeJS.ErrnoException
  const known = byName[name]
  if (known) return new StageFailure(known, message, name)
  if (code === 'ENOMEM' || OUT_OF_MEMORY.test(message)) return new StageFailure('out_of_memory', message)
  if (GPU_LOST.test(message)) return new StageFailure('gpu_lost', message)
  // What is left is a fault in this code, whatever the stage was.
  return new StageFailure('evaluator_bug', `${name}: ${message}`)
}
