/** A share of the stages that end is computed once more by another runner, and the two results are compared: whoever makes results up
 *  can't know which. Stages that train from nothing are left out, since the smallest difference in rounding grows over a long
 *  training until weights are no longer alike; unlearning, sampling and evaluating begin from equal weights. */
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { engineOf } from '../../../schema/engine.ts'
import { likenessOf } from '../../../schema/likeness.ts'
import type { Able } from '../../../schema/requirements.ts'
import { inputsOf, type StageSpec, stageKeyOf } from '../../../schema/stage.ts'
import { jobInputs } from '../../../schema/tables/job-inputs.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { repeats } from '../../../schema/tables/repeats.ts'
import { runners } from '../../../schema/tables/runners.ts'
import type { Database } from '../../bindings/database.ts'
import { compared } from '../results/compare.ts'
import { leftToOthers } from './failures.ts'
import { meeting } from './next-job.ts'

/** What waits for longer goes before all else, so that a busy server compares too. */
const LONG_MS = 24 * 3_600_000

/** What follows from the end of a stage: a comparison where it is a repeat, else by chance a repeat of it. */
export async function afterEnd(
  db: Database,
  store: R2Bucket,
  { key, share, now }: { key: string; share: number; now: number },
): Promise<void> {
  const job = await db.select().from(jobs).where(eq(jobs.key, key)).get()
  if (job?.state !== 'done') return
  if (job.spec.repeat === undefined) {
    const chosen = job.spec.kind !== 'train' && chance() < share
    if (chosen && (await othersThan(db, job.runnerId, now))) await repeat(db, job, now)
    return
  }
  const of = await db
    .select({ key: jobs.key })
    .from(repeats)
    .innerJoin(jobs, and(eq(jobs.key, repeats.ofKey), eq(jobs.state, 'done')))
    .where(and(eq(repeats.jobKey, key), isNull(repeats.verdict)))
    .get()
  if (!of) return
  const { agrees, detail } = await compared(db, store, job.spec, [of.key, key])
  await db
    .update(repeats)
    .set({ verdict: agrees ? 'agrees' : 'differs', detail, endedAt: now })
    .where(eq(repeats.jobKey, key))
}

/** From 0 to 1, and nobody who saw earlier ones knows it. */
const chance = () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32

/** Whether another runner came by lately; where there is none, repeats would only pile up. */
async function othersThan(db: Database, runnerId: string | null, now: number): Promise<boolean> {
  const other = await db
    .select({ id: runners.id })
    .from(runners)
    .where(
      and(
        eq(runners.state, 'active'),
        sql`${runners.id} <> ${runnerId ?? ''}`,
        sql`COALESCE(${runners.lastSeenAt}, ${runners.enrolledAt}) > ${now - LONG_MS}`,
      ),
    )
    .get()
  return other !== undefined
}

async function repeat(db: Database, job: typeof jobs.$inferSelect, now: number): Promise<void> {
  const spec: StageSpec = { ...job.spec, repeat: 1 }
  const key = await stageKeyOf(spec)
  const { kind, requires } = job
  const row = { key, kind, spec, requires, engine: engineOf(spec), likeness: await likenessOf(spec), createdAt: now }
  await db.batch([
    // Of a stage that was set aside, an earlier repeat may be there.
    db
      .insert(jobs)
      .values(row)
      .onConflictDoUpdate({ target: jobs.key, set: { state: 'queued', result: null, failed: 0, finishedAt: null } }),
    ...inputsOf(spec).map((inputKey) => db.insert(jobInputs).values({ jobKey: key, inputKey }).onConflictDoNothing()),
    db
      .insert(repeats)
      .values({ jobKey: key, ofKey: job.key, chosenAt: now })
      .onConflictDoUpdate({
        target: repeats.jobKey,
        set: { chosenAt: now, verdict: null, detail: null, endedAt: null },
      }),
  ])
}

interface Asking {
  runnerId: string
  /** It was chosen earlier. */
  before: number
  now: number
}

/** The repeat that has waited longest, of a stage that another runner computed; as a subquery. */
export const nextRepeat = (able: Able, { runnerId: runner, before, now }: Asking): SQL => sql`(
  SELECT ${jobs.key} FROM ${repeats} CROSS JOIN ${jobs} CROSS JOIN jobs first
  WHERE ${repeats.verdict} IS NULL AND ${repeats.chosenAt} < ${before} AND ${jobs.key} = ${repeats.jobKey}
    AND ${jobs.state} = 'queued' AND first.key = ${repeats.ofKey} AND first.runner_id <> ${runner} AND ${meeting(able)} AND NOT ${leftToOthers(runner, now)}
    AND NOT EXISTS (SELECT 1 FROM ${jobInputs} i JOIN jobs input ON input.key = i.input_key
      WHERE i.job_key = ${jobs.key} AND input.state <> 'done')
  ORDER BY ${repeats.chosenAt} LIMIT 1)`

/** Repeats chosen before this go before all else. */
export const longAgo = (now: number): number => now - LONG_MS
