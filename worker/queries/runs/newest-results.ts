/** Public runs that finished last. */
import { desc, eq } from 'drizzle-orm'
import type { Database } from '../../bindings/database.ts'
import { isPublic } from '../parts/readable.ts'
import { finishedAt, runState, runsWithState } from '../parts/run-state.ts'

export async function newestResults(db: Database, limit: number) {
  return runsWithState(db, isPublic).having(eq(runState, 'done')).orderBy(desc(finishedAt)).limit(limit)
}
