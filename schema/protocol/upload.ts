/** Store bytes under their SHA-256 (PUT, with a job token), as one body. Bytes that hash to something else are refused. */
import { z } from 'zod'
import { sha256 } from '../parts/hash.ts'

export const path = '/api/v1/artifacts/:sha256'
export const params = z.strictObject({ sha256 })
export const response = z.strictObject({ sha256, bytes: z.int() })
/** Larger files are refused with 413. */
export const MAX_BYTES = 2 * 1024 ** 3
/** Larger files come in parts. */
export const MAX_WHOLE_BYTES = 50 * 1024 ** 2
/** Every part but the last has this size. */
export const PART_BYTES = 16 * 1024 ** 2
