/** Checkpoints that deliveries of a job were given to go on from. */
import { and, eq, isNotNull } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { type Beginning, beganAt, storedCheckpoint } from '../../../schema/protocol/checkpoint.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import type { Database } from '../../bindings/database.ts'

/** Refuses what a stage is said to have gone on from, where it was given to no delivery of the job. */
export async function requireHandedOut(db: Database, key: string, began: Beginning[]): Promise<void> {
  if (began.length === 0) return
  const rows = await db
    .select({ checkpoint: deliveries.checkpoint })
    .from(deliveries)
    .where(and(eq(deliveries.jobKey, key), isNotNull(deliveries.checkpoint)))
  const given = new Set(rows.flatMap((row) => beganAt(storedCheckpoint.parse(row.checkpoint)).map(nameOf)))
  const unknown = began.find((one) => !given.has(nameOf(one)))
  if (!unknown) return
  throw new ApiError(
    'manifest_mismatch',
    `job ${key} is said to go on from the checkpoint ${nameOf(unknown)}, but no delivery of it was given that`,
  )
}

const nameOf = ({ runner, sha256, position }: Beginning) =>
  `${sha256} of ${runner ?? 'an unknown runner'} at ${position}`
