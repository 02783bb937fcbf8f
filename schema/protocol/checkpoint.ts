/** Leave a checkpoint of a long stage, which the next delivery of the job goes on from. Its artifact was uploaded before. */
import { z } from 'zod'
import { artifactRef } from '../result.ts'

export const path = '/api/v1/jobs/:key/checkpoint'

export const checkpoint = z.strictObject({
  artifact: artifactRef,
  /** Grows as the stage goes on: of two checkpoints of a stage the larger one is further. */
  position: z.number().min(0),
})
export type StoredCheckpoint = z.infer<typeof checkpoint>

export const request = checkpoint
export const response = z.strictObject({ position: z.number() })
