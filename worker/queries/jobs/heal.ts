/** A runner could not use what its job reads. Bytes that are gone or damaged are found out here and computed anew. Where they are what
 *  they should be, one runner's word is not enough: its results could then be set aside by anyone. */
import { and, eq, sql } from 'drizzle-orm'
import type { ArtifactRef } from '../../../schema/result.ts'
import { artifacts } from '../../../schema/tables/artifacts.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobInputs } from '../../../schema/tables/job-inputs.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runners } from '../../../schema/tables/runners.ts'
import type { Database } from '../../bindings/database.ts'
import { damageOf } from '../artifacts/damage.ts'
import { SILENT_MS } from '../parts/present.ts'
import type { Failure } from './fail-job.ts'
import { setAside } from './set-aside.ts'

/** A stage whose result was set aside this often is not computed again for those that cannot use it. */
const MOST = 3

/** A stage that reads nothing can't have been given back for the sake of its inputs: it failed. */
export async function blamed(db: Database, key: string, failure: Failure): Promise<Failure> {
  if (failure.reason !== 'input') return failure
  const reads = await db.select({ key: jobInputs.inputKey }).from(jobInputs).where(eq(jobInputs.jobKey, key)).get()
  return reads ? failure : { ...failure, outcome: 'failed' }
}

/** Of a job that was given back for the sake of its inputs. Returns the keys of all jobs that this changed. */
export async function healInputs(
  db: Database,
  store: R2Bucket,
  { key, now }: { key: string; now: number },
): Promise<string[]> {
  const inputs = await db
    .select({ key: jobs.key, result: jobs.result })
    .from(jobInputs)
    .innerJoin(jobs, eq(jobs.key, jobInputs.inputKey))
    .where(and(eq(jobInputs.jobKey, key), eq(jobs.state, 'done')))
  const changed: string[] = []
  const believed = await isBelieved(db, key, now)
  for (const input of inputs) {
    const damage = await damageIn(db, store, input.result?.artifacts ?? {})
    if (!damage && !believed) continue
    if ((await timesSetAside(db, input.key)) >= MOST) {
      await giveUp(db, key, now)
      return [...changed, key]
    }
    const reason = damage ?? 'no runner that read this result could use it'
    changed.push(...(await setAside(db, eq(jobs.key, input.key), { reason, now })))
  }
  return changed
}

/** What is wrong with the first artifact that is not what it is named; it is forgotten, so that it can be sent again. */
async function damageIn(db: Database, store: R2Bucket, all: Record<string, ArtifactRef>): Promise<string | null> {
  for (const [name, { sha256 }] of Object.entries(all)) {
    const row = await db.select().from(artifacts).where(eq(artifacts.sha256, sha256)).get()
    const damage = row ? await damageOf(store, row) : 'is missing'
    if (!damage) continue
    if (row) {
      await db.delete(artifacts).where(and(eq(artifacts.sha256, sha256), eq(artifacts.path, row.path)))
      await store.delete(row.path)
    }
    return `${name} (${sha256.slice(0, 12)}) ${damage}`
  }
  return null
}

/** Two runners say so, or the only one there is. */
async function isBelieved(db: Database, key: string, now: number): Promise<boolean> {
  const said = await db
    .selectDistinct({ runner: deliveries.runnerId })
    .from(deliveries)
    .where(and(eq(deliveries.jobKey, key), eq(deliveries.outcome, 'released'), eq(deliveries.reason, 'input')))
  if (said.length !== 1) return said.length > 1
  const other = await db
    .select({ id: runners.id })
    .from(runners)
    .where(
      and(
        eq(runners.state, 'active'),
        sql`${runners.lastSeenAt} > ${now - SILENT_MS}`,
        sql`${runners.id} <> ${said[0]!.runner}`,
      ),
    )
    .get()
  return other === undefined
}

async function timesSetAside(db: Database, key: string): Promise<number> {
  const rows = await db
    .select({ attempt: deliveries.attempt })
    .from(deliveries)
    .where(and(eq(deliveries.jobKey, key), eq(deliveries.outcome, 'set-aside')))
  return rows.length
}

const giveUp = (db: Database, key: string, now: number) =>
  db
    .update(jobs)
    .set({
      state: 'failed',
      reason: 'input',
      message: `what this stage reads was computed ${MOST + 1} times, and no runner could use it`,
      finishedAt: now,
    })
    .where(and(eq(jobs.key, key), eq(jobs.state, 'queued')))
