/** Work that a runner could begin now. */
import { and, eq, exists, sql } from 'drizzle-orm'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { wantedRuns } from './wanted-runs.ts'

/** Jobs that wait for nothing but a runner, at most `most`. */
export const readyJobs = (db: Database, most: number): Promise<{ key: string }[]> =>
  db
    .select({ key: jobs.key })
    .from(jobs)
    .where(
      and(
        eq(jobs.state, 'queued'),
        // Repeats wait until an idle runner asks by itself: it may be that none here can be given one.
        exists(wantedRuns(db)),
        sql`NOT EXISTS (SELECT 1 FROM job_inputs i JOIN jobs input ON input.key = i.input_key
          WHERE i.job_key = jobs.key AND input.state <> 'done')`,
      ),
    )
    .limit(most)
