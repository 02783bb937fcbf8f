/** Checkpoints of long stages: the newest of a job is what its next delivery goes on from. */
import { ApiError } from '../../../schema/errors.ts'
import type { LeftCheckpoint } from '../../../schema/protocol/checkpoint.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { checkpointUses } from '../artifacts/artifact-uses.ts'
import { artifactOf } from '../artifacts/artifacts.ts'
import { forgetOrphans } from '../artifacts/removable.ts'
import { requireHandedOut } from '../parts/handed-out.ts'
import { type Claim, heldBy, refusalOf, requireLease } from '../parts/held.ts'

/** Keeps the checkpoint and removes the bytes of the one before, which nothing needs any more. */
export async function keepCheckpoint(db: Database, store: R2Bucket, claim: Claim, left: LeftCheckpoint): Promise<void> {
  const { runnerId } = await requireLease(db, claim)
  await requireHandedOut(db, claim.key, left.began)
  const checkpoint = { ...left, runner: runnerId }
  const { sha256, bytes } = checkpoint.artifact
  const stored = await artifactOf(db, sha256)
  if (stored?.bytes !== bytes) {
    const got = stored ? `${stored.bytes} bytes` : 'none'
    throw new ApiError(
      'missing_artifact',
      `expected ${bytes} bytes stored under ${sha256}, got ${got}; upload it first`,
    )
  }
  const [[before], , , kept] = await db.batch([
    db.select({ checkpoint: jobs.checkpoint }).from(jobs).where(heldBy(claim)),
    ...checkpointUses(db, claim, checkpoint),
    db.update(jobs).set({ checkpoint }).where(heldBy(claim)).returning({ key: jobs.key }),
  ])
  if (kept.length === 0) throw await refusalOf(db, claim)
  const replaced = before?.checkpoint?.artifact.sha256
  if (!replaced || replaced === sha256) return
  const paths = await forgetOrphans(db, [replaced], { old: claim.now, unwantedSince: 0 })
  if (paths.length > 0) await store.delete(paths)
}
