/** Writes down which artifacts a job names, in the batch that lets it name them. */
import { and, eq, sql } from 'drizzle-orm'
import type { StoredCheckpoint } from '../../../schema/protocol/checkpoint.ts'
import { artifactUses } from '../../../schema/tables/artifact-uses.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { lateResults } from '../../../schema/tables/late-results.ts'
import type { Database } from '../../bindings/database.ts'
import { type Claim, heldBy } from '../parts/held.ts'
import { insertSelect } from '../parts/insert-select.ts'

/** Each artifact of a result, by its hash: two names may have one. */
const named = { sha256: sql`named.value ->> 'sha256'` }
const eachNamed = (table: typeof jobs | typeof lateResults) =>
  sql`FROM ${table}, json_each(${table.result}, '$.artifacts') named`

/** Follows the statement that ended the job; does nothing where that one did nothing. */
export const resultUses = (db: Database, { key, tokenSha256 }: Claim) =>
  insertSelect(
    db,
    artifactUses,
    { jobKey: jobs.key, attempt: jobs.deliveries, use: 'result', ...named },
    sql`${eachNamed(jobs)} WHERE ${and(eq(jobs.key, key), eq(jobs.tokenSha256, tokenSha256), sql`${jobs.state} = 'done'`)}`,
  ).onConflictDoNothing()

export const lateUses = (db: Database, key: string, attempt: number) =>
  insertSelect(
    db,
    artifactUses,
    { jobKey: lateResults.jobKey, attempt: lateResults.attempt, use: 'late', ...named },
    sql`${eachNamed(lateResults)} WHERE ${and(eq(lateResults.jobKey, key), eq(lateResults.attempt, attempt))}`,
  ).onConflictDoNothing()

/** Replaces one checkpoint by another, while the claim holds. */
export const checkpointUses = (db: Database, claim: Claim, { artifact }: StoredCheckpoint) => {
  const held = sql`SELECT ${jobs.key} FROM ${jobs} WHERE ${heldBy(claim)}`
  return [
    db.delete(artifactUses).where(and(eq(artifactUses.use, 'checkpoint'), sql`${artifactUses.jobKey} IN (${held})`)),
    insertSelect(
      db,
      artifactUses,
      { jobKey: jobs.key, attempt: jobs.deliveries, use: 'checkpoint', sha256: artifact.sha256 },
      sql`FROM ${jobs} WHERE ${heldBy(claim)}`,
    ),
  ] as const
}
