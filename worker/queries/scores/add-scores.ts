/** Values computed anew, beside those that are there. */
import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import { isSame, SAME_WITHIN } from '../../../runner/science/score.ts'
import type { ScoreChange } from '../../../schema/api/score.ts'
import type { StageResult } from '../../../schema/result.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { scores } from '../../../schema/tables/scores.ts'
import type { Database } from '../../bindings/database.ts'
import { insertSelect } from '../parts/insert-select.ts'

/** Three parameters each, of the 100 that D1 binds to a statement. */
const SCORES_AT_ONCE = 20

export interface Known {
  value: number
  /** Whether nobody but the runner that measured the evidence computed it yet. */
  claimed: boolean
}

/** The newest value of each identity, by job. */
export async function newestScores(db: Database, keys: string[]): Promise<Map<string, Map<string, Known>>> {
  const rows = await db
    .select({
      job: scores.jobKey,
      identity: scores.identity,
      value: scores.value,
      claimed: sql<number>`${scores.by} IS ${jobs.runnerId}`,
    })
    .from(scores)
    .innerJoin(jobs, eq(jobs.key, scores.jobKey))
    .where(sql`${scores.jobKey} IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`)
    .orderBy(desc(scores.computedAt))
  const newest = new Map<string, Map<string, Known>>()
  for (const { job, identity, value, claimed } of rows) {
    const known = newest.get(job) ?? new Map<string, Known>()
    newest.set(job, known)
    if (!known.has(identity)) known.set(identity, { value, claimed: Boolean(claimed) })
  }
  return newest
}

/** Those of the values that say something new: another number, or the same where so far only the runner said so. */
export const changesIn = (
  job: string,
  known: ReadonlyMap<string, Known> | undefined,
  values: StageResult['metrics'],
): ScoreChange[] =>
  Object.entries(values).flatMap(([metric, { identity, value }]) => {
    const now = known?.get(identity)
    if (now && !now.claimed && isSame(now.value, value)) return []
    return [{ job, metric, identity, before: now?.value ?? null, after: value }]
  })

/** Adds to a report what was written, or would be: changes are told one by one, confirmations are counted. */
export function tell(report: { changes: ScoreChange[]; confirmed: number }, written: readonly ScoreChange[]): void {
  const changes = written.filter(({ before, after }) => before === null || !isSame(before, after))
  report.changes.push(...changes)
  report.confirmed += written.length - changes.length
}

export interface Computed {
  job: string
  /** What the values were computed from: SHA-256 by name. */
  evidence: Record<string, string>
  by: string
  version: string
  now: number
}

/** Writes them in one batch while the job has this evidence still; what another request wrote meanwhile is not written again. Gives those
 *  that were written, or null when the job has other evidence now. */
export async function addScores(
  db: Database,
  computed: Computed,
  changes: readonly ScoreChange[],
): Promise<ScoreChange[] | null> {
  if (changes.length === 0) return []
  const chunks = Array.from({ length: Math.ceil(changes.length / SCORES_AT_ONCE) }, (_, i) =>
    changes.slice(i * SCORES_AT_ONCE, (i + 1) * SCORES_AT_ONCE),
  )
  const [first, ...others] = chunks.map((chunk) => inserted(db, computed, chunk))
  const [held, ...written] = await db.batch([
    db.select({ key: jobs.key }).from(jobs).where(hasEvidence(computed)),
    first!,
    ...others,
  ])
  if (held.length === 0) return null
  const identities = new Set(written.flat().map(({ identity }) => identity))
  return changes.filter(({ identity }) => identities.has(identity))
}

function hasEvidence({ job, evidence }: Pick<Computed, 'job' | 'evidence'>): SQL | undefined {
  const files = Object.entries(evidence).map(
    ([name, sha256]) => sql`json_extract(${jobs.result}, ${`$.artifacts."${name}".sha256`}) = ${sha256}`,
  )
  return and(eq(jobs.key, job), sql`${jobs.state} = 'done'`, ...files)
}

/** Values are bound one by one: SQLite would not read all digits of a number within JSON. */
function inserted(db: Database, computed: Computed, changes: readonly ScoreChange[]) {
  const { by, version, now } = computed
  const rows = changes.map(({ metric, identity, after }) => sql`(${metric}, ${identity}, ${after})`)
  const ofIdentity = sql`FROM scores s WHERE s.job_key = ${jobs.key} AND s.identity = m.column2`
  const newest = (column: 'value' | 'by') =>
    sql`(SELECT s.${sql.identifier(column)} ${ofIdentity} ORDER BY s.computed_at DESC LIMIT 1)`
  return insertSelect(
    db,
    scores,
    {
      jobKey: jobs.key,
      metric: sql`m.column1`,
      identity: sql`m.column2`,
      value: sql`m.column3`,
      by,
      version,
      // Newer than all others of its identity, also where a clock stood still or went back.
      computedAt: sql`MAX(${now}, COALESCE((SELECT MAX(s.computed_at) + 1 ${ofIdentity}), 0))`,
    },
    sql`FROM ${jobs} CROSS JOIN (VALUES ${sql.join(rows, sql`, `)}) m
      WHERE ${hasEvidence(computed)}
        AND (COALESCE(ABS(${newest('value')} - m.column3) > ${SAME_WITHIN} * MAX(1, ABS(m.column3)), 1)
          OR ${newest('by')} IS ${jobs.runnerId})`,
  ).returning({ identity: scores.identity })
}
