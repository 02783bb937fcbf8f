/** A submission that is ended before its time. */
import { and, eq } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import type { Identity } from '../../bindings/env.ts'
import { endRuns } from '../jobs/end-runs.ts'
import { readableBy } from '../parts/readable.ts'
import { SERVER } from '../parts/server.ts'

interface By {
  identity: Identity
  now: number
}

/** Cancels what is left of it. Returns the keys of all its jobs. */
export async function cancelSubmission(db: Database, id: string, { identity, now }: By): Promise<string[]> {
  await requireOwn(db, id, identity, 'cancel')
  const [keys] = await db.batch([...endRuns(db, { ids: [id], now })])
  return distinct(keys)
}

/** Takes it off the boards, with a reason that everybody reads; what is left of it is cancelled. Its results stay those of other
 *  submissions that share them. The first reason stays. Returns the keys of all its jobs. */
export async function withdrawSubmission(
  db: Database,
  id: string,
  reason: string,
  { identity, now }: By,
): Promise<string[]> {
  const { tokenId, withdrawnAt } = await requireOwn(db, id, identity, 'withdraw')
  if (tokenId === SERVER.tokenId) {
    throw new ApiError('conflict', `submission "${id}" is a reference of others: set its stages aside instead`)
  }
  if (withdrawnAt !== null) return []
  const by = tokenId === identity.tokenId ? 'author' : 'admin'
  const [keys] = await db.batch([
    ...endRuns(db, { ids: [id], finishedToo: true, now }),
    db
      .update(submissions)
      .set({ withdrawnAt: now, withdrawnBy: by, withdrawnReason: reason })
      .where(eq(submissions.id, id)),
  ])
  return distinct(keys)
}

/** Of its author, or of anyone where an admin asks. */
async function requireOwn(db: Database, id: string, identity: Identity, verb: string) {
  const row = await db
    .select()
    .from(submissions)
    .where(and(eq(submissions.id, id), readableBy(identity)))
    .get()
  if (!row) throw new ApiError('not_found', `no submission "${id}"`)
  if (row.tokenId === identity.tokenId || identity.role === 'admin') return row
  throw new ApiError('forbidden', `submission "${id}" is ${row.author}'s; its author or an admin may ${verb} it`)
}

const distinct = (rows: { key: string }[]): string[] => [...new Set(rows.map(({ key }) => key))]
