/** Public runs that finished last. */
import { desc, eq } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { isPublic } from './readable.ts'
import { finishedAt, runState, runsWithState } from './run-state.ts'

export async function newestResults(db: Database, limit: number) {
  return runsWithState(db, isPublic).having(eq(runState, 'done')).orderBy(desc(finishedAt)).limit(limit)
}
