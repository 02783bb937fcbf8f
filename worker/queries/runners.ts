/** Runners that may still be given work, with what they can do and do. */
import { desc, sql } from 'drizzle-orm'
import type { QueueRunner } from '../../schema/api/queue.ts'
import { ableOf } from '../../schema/requirements.ts'
import { jobs } from '../../schema/tables/jobs.ts'
import { runners } from '../../schema/tables/runners.ts'
import { type Database, isoTime } from '../database.ts'
import type { Worker } from '../waiting.ts'

/** Idle runners ask at least once a minute, and those that work hold a lease: one silent for longer is gone. */
const SILENT_MS = 95_000

export interface KnownRunner extends Worker, QueueRunner {
  id: string
  name: string
}

export async function knownRunners(db: Database, now: number): Promise<KnownRunner[]> {
  const [rows, working] = await db.batch([
    db.select().from(runners).orderBy(desc(runners.lastSeenAt)).limit(200),
    db
      .select({ runner: jobs.runner, running: sql<number>`COUNT(*)` })
      .from(jobs)
      .where(sql`${jobs.state} = 'leased'`)
      .groupBy(jobs.runner),
  ])
  const running = new Map(working.map((row) => [row.runner, row.running]))
  return rows.map(({ name, probe, lastSeenAt }) => ({
    id: name,
    name,
    state: 'active',
    labels: [],
    probe,
    able: ableOf(probe, []),
    present: running.has(name) || now - lastSeenAt < SILENT_MS,
    lastSeenAt: isoTime(lastSeenAt),
    running: running.get(name) ?? 0,
  }))
}
