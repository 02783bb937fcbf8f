/** End a job with its result. Every artifact named must have been uploaded before. */
import { z } from 'zod'
import { stageResult } from '../result.ts'
import { leaseToken } from './lease.ts'

export const path = '/api/v1/jobs/:key/finish'
export const request = z.strictObject({ token: leaseToken, result: stageResult })
export const response = z.strictObject({ state: z.literal('done') })
