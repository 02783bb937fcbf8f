/** Writes down which artifacts a job names, in the batch that lets it name them. */
import { and, eq, sql } from 'drizzle-orm'
import type { StoredCheckpoint } from '../../../schema/protocol/checkpoint.ts'
import { artifactUses } from '../../../schema/tables/artifact-uses.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { lateResults } from '../../../schema/tables/late-results.ts'
import type { Database } from '../../bindings/database.ts'
import { type Claim, heldBy } from '../parts/held.ts'

// Every column, in the order of the table.
const columns = (table: typeof jobs | typeof lateResults, key: unknown, attempt: unknown, use: string) =>
  sql`SELECT DISTINCT ${key}, ${attempt}, ${use}, named.value ->> 'sha256' FROM ${table}, json_each(${table.result}, '$.artifacts') named`

/** Follows the statement that ended the job; does nothing where that one did nothing. */
export const resultUses = (db: Database, { key, tokenSha256 }: Claim) =>
  db
    .insert(artifactUses)
    .select(
      sql`${columns(jobs, jobs.key, jobs.deliveries, 'result')}
        WHERE ${and(eq(jobs.key, key), eq(jobs.tokenSha256, tokenSha256), sql`${jobs.state} = 'done'`)}`,
    )
    .onConflictDoNothing()

export const lateUses = (db: Database, key: string, attempt: number) =>
  db
    .insert(artifactUses)
    .select(
      sql`${columns(lateResults, lateResults.jobKey, lateResults.attempt, 'late')}
        WHERE ${and(eq(lateResults.jobKey, key), eq(lateResults.attempt, attempt))}`,
    )
    .onConflictDoNothing()

/** Replaces one checkpoint by another, while the claim holds. */
export const checkpointUses = (db: Database, claim: Claim, { artifact }: StoredCheckpoint) => {
  const held = sql`SELECT ${jobs.key} FROM ${jobs} WHERE ${heldBy(claim)}`
  return [
    db.delete(artifactUses).where(and(eq(artifactUses.use, 'checkpoint'), sql`${artifactUses.jobKey} IN (${held})`)),
    db
      .insert(artifactUses)
      .select(
        sql`SELECT ${jobs.key}, ${jobs.deliveries}, 'checkpoint', ${artifact.sha256} FROM ${jobs} WHERE ${heldBy(claim)}`,
      ),
  ] as const
}
