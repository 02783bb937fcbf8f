/** Runners that may still be given work, with what they can do and do. */
import { and, desc, isNotNull, ne, sql } from 'drizzle-orm'
import type { QueueRunner } from '../../../schema/api/queue.ts'
import { ableOf } from '../../../schema/requirements.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runners } from '../../../schema/tables/runners.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import { SILENT_MS } from '../parts/present.ts'
import type { Candidate } from './waiting.ts'

export interface KnownRunner extends Candidate, QueueRunner {
  id: string
  name: string
}

export async function knownRunners(db: Database, now: number): Promise<KnownRunner[]> {
  const [rows, working] = await db.batch([
    db
      .select()
      .from(runners)
      .where(and(isNotNull(runners.lastSeenAt), ne(runners.state, 'revoked')))
      .orderBy(desc(runners.lastSeenAt))
      .limit(200),
    db
      .select({ runnerId: jobs.runnerId, running: sql<number>`COUNT(*)` })
      .from(jobs)
      .where(sql`${jobs.state} = 'leased'`)
      .groupBy(jobs.runnerId),
  ])
  const running = new Map(working.map((row) => [row.runnerId, row.running]))
  return rows.map(({ id, name, state, pauseReason, labels, probe, engines, lastSeenAt }) => ({
    id,
    name,
    state: state as KnownRunner['state'],
    pauseReason,
    labels,
    probe,
    able: probe && ableOf(probe, { labels, engines: engines ?? [] }),
    present: running.has(id) || (lastSeenAt !== null && now - lastSeenAt < SILENT_MS),
    lastSeenAt: lastSeenAt === null ? null : isoTime(lastSeenAt),
    running: running.get(id) ?? 0,
  }))
}
