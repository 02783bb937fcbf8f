/** Error codes of the HTTP API, their statuses, and the one function that builds an error body. */
import { z } from 'zod'

export const statuses = {
  invalid_request: 400,
  invalid_parameters: 400,
  unauthorized: 401,
  access_expired: 401,
  assertion_replayed: 401,
  clock_skew: 401,
  forbidden: 403,
  enrolment_refused: 403,
  runner_revoked: 403,
  runner_outdated: 403,
  not_found: 404,
  unknown_benchmark: 404,
  unknown_method: 404,
  method_not_allowed: 405,
  conflict: 409,
  idempotency_mismatch: 409,
  stale_lease: 409,
  lease_expired: 409,
  log_gap: 409,
  missing_artifact: 409,
  benchmark_retired: 410,
  upload_incomplete: 409,
  hash_mismatch: 422,
  bad_signature: 422,
  manifest_mismatch: 422,
  invalid_result: 422,
  body_too_large: 413,
  unsupported_encoding: 415,
  range_not_satisfiable: 416,
  rate_limited: 429,
  run_limit: 429,
  internal: 500,
  not_implemented: 501,
  not_configured: 503,
} as const
export type ErrorCode = keyof typeof statuses

/** What a program needs to go on, such as `expectedOffset` of `log_gap`. */
const details = z.record(z.string(), z.unknown())
export type ErrorDetails = z.infer<typeof details>

export const errorBody = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), requestId: z.string(), details: details.optional() }),
})

/** Thrown by handlers; `message` says what was expected, what came and what to do. */
export class ApiError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails | undefined

  constructor(code: ErrorCode, message: string, details?: ErrorDetails) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.details = details
  }

  get status(): (typeof statuses)[ErrorCode] {
    return statuses[this.code]
  }
}

export function errorBodyOf(
  { code, message, details }: { code: string; message: string; details?: ErrorDetails | undefined },
  requestId: string,
): z.infer<typeof errorBody> {
  return { error: { code, message, requestId, ...(details && { details }) } }
}
