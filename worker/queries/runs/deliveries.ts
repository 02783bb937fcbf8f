/** What happened to each delivery of some jobs. */
import { asc, inArray } from 'drizzle-orm'
import type { Delivery } from '../../../schema/api/run.ts'
import { beganAt, storedCheckpoint } from '../../../schema/protocol/checkpoint.ts'
import { nextSteps } from '../../../schema/protocol/next-step.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { lateResults } from '../../../schema/tables/late-results.ts'
import { type Database, isoTime } from '../../bindings/database.ts'

/** By job, the oldest first. */
export async function deliveriesOf(db: Database, keys: string[]): Promise<Map<string, Delivery[]>> {
  const [rows, late] = await db.batch([
    db.select().from(deliveries).where(inArray(deliveries.jobKey, keys)).orderBy(asc(deliveries.attempt)),
    db
      .select({ jobKey: lateResults.jobKey, attempt: lateResults.attempt, receivedAt: lateResults.receivedAt })
      .from(lateResults)
      .where(inArray(lateResults.jobKey, keys)),
  ])
  const lateAt = new Map(late.map(({ jobKey, attempt, receivedAt }) => [`${jobKey} ${attempt}`, receivedAt]))
  const shown = (row: (typeof rows)[number]): Delivery => {
    const { jobKey, attempt, runner, outcome, reason, message, leasedAt, endedAt, logBytes, checkpoint } = row
    const lateMs = lateAt.get(`${jobKey} ${attempt}`)
    return {
      attempt,
      runner,
      outcome,
      reason,
      message,
      nextStep: reason && nextSteps[reason],
      checkpoint: checkpoint && beganAt(storedCheckpoint.parse(checkpoint)).at(-1)!,
      logBytes,
      leasedAt: isoTime(leasedAt),
      endedAt: endedAt === null ? null : isoTime(endedAt),
      lateResultAt: lateMs === undefined ? null : isoTime(lateMs),
    }
  }
  return new Map([...Map.groupBy(rows, ({ jobKey }) => jobKey)].map(([key, own]) => [key, own.map(shown)]))
}
