/** Store bytes under their SHA-256 (PUT, with the lease in headers). Bytes that hash to something else are refused. */
import { z } from 'zod'
import { sha256, stageKey } from '../stage.ts'
import { leaseToken } from './lease.ts'

export const path = '/api/v1/artifacts/:sha256'
export const params = z.strictObject({ sha256 })
/** Request headers; the body is the content itself. */
export const headers = z.object({ 'x-job-key': stageKey, 'x-lease-token': leaseToken })
export const response = z.strictObject({ sha256, bytes: z.int() })
/** Larger files are refused with 413. */
export const MAX_BYTES = 90 * 1024 * 1024
