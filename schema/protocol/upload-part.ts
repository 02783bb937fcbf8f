/** One part of a large artifact (PUT): its bytes, and their SHA-256 in a header. A part may be sent again. */
import { z } from 'zod'
import { sha256 } from '../parts/hash.ts'

export const path = '/api/v1/artifacts/:sha256/parts/:number'
export const params = z.strictObject({ sha256, number: z.coerce.number<string>().int().min(1).max(10_000) })
export const headers = z.object({ 'x-part-sha256': sha256 })
export const response = z.strictObject({ number: z.int(), bytes: z.int() })
