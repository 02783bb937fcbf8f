/** End a job with its result. Every artifact named must have been uploaded before, and all of the log sent. The same request
 *  sent again gets the same answer. */
import { z } from 'zod'
import { stageResult } from '../result.ts'
import { wholeLog } from './log.ts'

export const path = '/api/v1/jobs/:key/finish'
export const request = z.strictObject({ result: stageResult, log: wholeLog })
export const response = z.strictObject({ state: z.literal('done') })
