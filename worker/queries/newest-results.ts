/** Runs that finished last. */
import { desc, eq } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { finishedAt, runState, runsWithState } from './run-state.ts'

export async function newestResults(db: Database, limit: number) {
  return runsWithState(db, undefined).having(eq(runState, 'done')).orderBy(desc(finishedAt)).limit(limit)
}
