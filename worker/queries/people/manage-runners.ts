/** Runners as admins see and change them. */
import { and, asc, eq, ne, sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { changeRunner as changeRequest, Runner } from '../../../schema/api/runner.ts'
import { ApiError } from '../../../schema/errors.ts'
import { fingerprintOf } from '../../../schema/signature.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { repeats } from '../../../schema/tables/repeats.ts'
import { type RunnerRow, runners } from '../../../schema/tables/runners.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import { loss } from '../jobs/expire.ts'
import { setAside } from '../jobs/set-aside.ts'

async function shown(row: RunnerRow, held: string[]): Promise<Runner> {
  const { id, name, state, pauseReason, labels, publicKey, probe, enrolledAt, lastSeenAt } = row
  return {
    id,
    name,
    state,
    pauseReason,
    labels,
    publicKey,
    fingerprint: await fingerprintOf(publicKey),
    probe,
    enrolledAt: isoTime(enrolledAt),
    lastSeenAt: lastSeenAt === null ? null : isoTime(lastSeenAt),
    jobs: held,
  }
}

const leased = (db: Database) =>
  db.select({ key: jobs.key, runnerId: jobs.runnerId }).from(jobs).where(eq(jobs.state, 'leased'))

export async function listRunners(db: Database): Promise<Runner[]> {
  const [rows, held] = await db.batch([
    db.select().from(runners).orderBy(asc(runners.enrolledAt), asc(runners.id)),
    leased(db),
  ])
  const jobsOf = Map.groupBy(held, ({ runnerId }) => runnerId)
  return Promise.all(
    rows.map((row) =>
      shown(
        row,
        (jobsOf.get(row.id) ?? []).map(({ key }) => key),
      ),
    ),
  )
}

async function getRunner(db: Database, id: string): Promise<Runner> {
  const found = (await listRunners(db)).find((runner) => runner.id === id)
  if (found) return found
  throw new ApiError('not_found', `no runner "${id}"`)
}

/** An admin's word takes the place of the server's own: one that is resumed is believed again from now on. */
export async function changeRunner(
  db: Database,
  id: string,
  change: z.infer<typeof changeRequest>,
  now: number,
): Promise<Runner> {
  const [changed] = await db
    .update(runners)
    .set({
      ...change,
      ...(change.state && { pauseReason: null }),
      ...(change.state === 'active' && { trustedSince: now }),
    })
    .where(and(eq(runners.id, id), ne(runners.state, 'revoked')))
    .returning({ id: runners.id })
  const runner = await getRunner(db, id)
  if (changed) return runner
  throw new ApiError('conflict', `the runner ${id} was revoked, which is for good; enrol the machine anew`)
}

/** Jobs whose result is of that runner, and no other computed the same. */
const vouchedByNone = (id: string) => sql`${jobs.runnerId} = ${id} AND NOT EXISTS
  (SELECT 1 FROM ${repeats} WHERE ${repeats.ofKey} = ${jobs.key} AND ${repeats.verdict} = 'agrees')`

/** Refuses it from now on. Its jobs go back to the queue at once, their deliveries counted as lost. With `reason`, its results count
 *  no more either, since nobody else vouches for them. Returns the keys of all jobs that this changed, too. */
export async function revokeRunner(db: Database, id: string, { reason, now }: { reason: string | null; now: number }) {
  const message = 'an admin revoked the runner'
  const [, , ended] = await db.batch([
    db.update(runners).set({ state: 'revoked' }).where(eq(runners.id, id)),
    ...loss(db, eq(jobs.runnerId, id), { message, now }),
  ])
  const shelved = reason === null ? [] : await setAside(db, vouchedByNone(id), { reason, now })
  return { runner: await getRunner(db, id), changed: [...ended.map(({ key }) => key), ...shelved] }
}
