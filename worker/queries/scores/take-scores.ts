/** Values that another machine computed from evidence of this server. */
import { sql } from 'drizzle-orm'
import type { ScienceTask } from '../../../runner/science/task.ts'
import type { RescoreReport } from '../../../schema/api/score.ts'
import type { StageResult } from '../../../schema/result.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { scienceTasks } from '../../http/catalogue.ts'
import { metricOutOfRange } from '../parts/ranges.ts'
import { addScores, changesIn, newestScores, tell } from './add-scores.ts'
import { evidenceIn, type Refs } from './evidence.ts'

export interface Handed {
  job: string
  evidence: Record<string, string>
  metrics: StageResult['metrics']
}

type Taken = Pick<RescoreReport, 'dryRun' | 'changes' | 'confirmed' | 'problems'>

/** Compared with what is there, and kept where it says something new. */
export async function takeScores(
  handed: Handed[],
  { dryRun, by, version }: { dryRun: boolean; by: string; version: string },
  { db, now }: { db: Database; now: number },
): Promise<Taken> {
  const keys = JSON.stringify(handed.map(({ job }) => job))
  const [rows, newest] = await Promise.all([
    db
      .select({ key: jobs.key, spec: jobs.spec, state: jobs.state, result: jobs.result })
      .from(jobs)
      .where(sql`${jobs.key} IN (SELECT value FROM json_each(${keys}))`),
    newestScores(
      db,
      handed.map(({ job }) => job),
    ),
  ])
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const report: Taken = { dryRun, changes: [], confirmed: 0, problems: [] }
  for (const { job, evidence, metrics } of handed) {
    const row = byKey.get(job)
    const science = row?.spec.kind === 'evaluate' ? scienceTasks.get(row.spec.task) : undefined
    const refused =
      row && science
        ? (refusalOf(science, metrics) ?? evidenceRefusal(evidenceIn(science, row.result?.artifacts ?? {}), evidence))
        : 'no evaluation here has this key'
    if (refused) {
      report.problems.push({ job, why: refused })
      continue
    }
    const changes = changesIn(job, newest.get(job), metrics)
    const written = dryRun ? changes : await addScores(db, { job, evidence, by, version, now }, changes)
    if (written) tell(report, written)
    else report.problems.push({ job, why: 'the job has other evidence by now; compute the values from that' })
  }
  return report
}

/** Of values that are not what they are called, or that such a metric cannot have. */
function refusalOf({ metrics }: ScienceTask, values: Handed['metrics']): string | null {
  for (const [id, { identity }] of Object.entries(values)) {
    const named = metrics[id]?.named
    const base = identity.split(';')[0]!
    if (named === base || named === base.replace(/\/.*@/, '/*@')) continue
    const expected = named ? `an identity that begins with ${named}` : `one of ${Object.keys(metrics).join(', ')}`
    return `${id}: expected ${expected}, got ${identity}`
  }
  return metricOutOfRange(values)
}

function evidenceRefusal(refs: Refs, evidence: Record<string, string>): string | null {
  const names = Object.keys(refs)
  if (names.length === 0) return 'the job has no evidence'
  const wrong =
    names.find((name) => refs[name]!.sha256 !== evidence[name]) ?? Object.keys(evidence).find((name) => !refs[name])
  if (!wrong) return null
  return `${wrong}: expected ${refs[wrong]?.sha256 ?? 'no such file'}, got ${evidence[wrong] ?? 'none'}; compute the values from the evidence that the job has`
}
