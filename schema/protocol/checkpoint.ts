/** Leave a checkpoint of a long stage, which the next delivery of the job goes on from. Its artifact was uploaded before. */
import { z } from 'zod'
import { sha256 } from '../parts/hash.ts'
import { artifactRef } from '../result.ts'
import { runnerId } from './enrol.ts'

export const path = '/api/v1/jobs/:key/checkpoint'

/** Grows as a stage goes on: of two checkpoints of a stage the larger one is further. */
const position = z.number().min(0)

/** A checkpoint that a stage went on from, and the runner that had computed so far; null for one that was left before servers
 *  wrote that down. */
export const beginning = z.strictObject({ runner: runnerId.nullable(), sha256, position })
export type Beginning = z.infer<typeof beginning>

/** All that a stage went on from, the first one first: what the last runner signs is the work of these too. */
export const began = z.array(beginning).max(1000).default([])

export const checkpoint = z.strictObject({ artifact: artifactRef, position, began })

export type LeftCheckpoint = z.infer<typeof checkpoint>

/** As the server keeps it and hands it out. */
export const storedCheckpoint = checkpoint.extend({ runner: runnerId.nullable().default(null) })
export type StoredCheckpoint = z.infer<typeof storedCheckpoint>

/** What a stage that goes on from a checkpoint began from. */
export const beganAt = ({ artifact, position, began, runner }: StoredCheckpoint): Beginning[] => [
  ...began,
  { runner, sha256: artifact.sha256, position },
]

export const request = checkpoint
export const response = z.strictObject({ position: z.number() })
