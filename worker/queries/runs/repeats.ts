/** What the results of other runners say of some stages. */
import { and, desc, eq, inArray, isNotNull } from 'drizzle-orm'
import type { RunStage } from '../../../schema/api/run.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { repeats } from '../../../schema/tables/repeats.ts'
import { type Database, isoTime } from '../../bindings/database.ts'

/** By the key of the stage whose result counts. */
export async function repeatsOf(db: Database, keys: string[]): Promise<Map<string, NonNullable<RunStage['repeat']>>> {
  const rows = await db
    .select({ repeat: repeats, runner: jobs.runner })
    .from(repeats)
    .innerJoin(jobs, eq(jobs.key, repeats.jobKey))
    .where(and(inArray(repeats.ofKey, keys), isNotNull(repeats.verdict)))
    .orderBy(desc(repeats.endedAt))
  return new Map(
    rows.map(({ repeat: { ofKey, verdict, detail, endedAt }, runner }) => [
      ofKey,
      { runner, verdict: verdict!, detail: detail ?? '', at: isoTime(endedAt ?? 0) },
    ]),
  )
}
