/** Evaluations that belong together: one of a model, and that of retrain on the same benchmark with the same seed. */
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../bindings/database.ts'
import { REFERENCE, referenceName } from '../../http/catalogue.ts'
import type { Refs } from './evidence.ts'

export interface Pair {
  /** Keys of the evaluate jobs. */
  own: string
  retrain: string
  benchmark: string
  /** Artifacts of both. */
  artifacts: Refs
  retrained: Refs
}

/** Both of which are done. Retrain is found by the run that all others are shown beside. */
async function pairsWhere(db: Database, from: SQL): Promise<Pair[]> {
  const rows = await db.all<{ own: string; retrain: string; benchmark: string; mine: string; theirs: string }>(sql`
    SELECT DISTINCT own.key AS own, beside.key AS retrain, r.benchmark AS benchmark,
      own.result -> '$.artifacts' AS mine, beside.result -> '$.artifacts' AS theirs
    ${from}
    WHERE own.kind = 'evaluate' AND +own.state = 'done' AND beside.kind = 'evaluate' AND +beside.state = 'done'
      AND own.key <> beside.key AND r.cancelled_at IS NULL AND other.cancelled_at IS NULL
    ORDER BY own.key`)
  return rows.map(({ mine, theirs, ...row }) => ({
    ...row,
    artifacts: JSON.parse(mine) as Refs,
    retrained: JSON.parse(theirs) as Refs,
  }))
}

const reference = () => referenceName(REFERENCE)

/** Of evaluations of models, those with their retrain. */
export const pairsOf = (db: Database, keys: string[]): Promise<Pair[]> =>
  pairsWhere(
    db,
    sql`FROM json_each(${JSON.stringify(keys)}) k CROSS JOIN jobs own ON own.key = k.value
      CROSS JOIN run_jobs n ON n.job_key = own.key CROSS JOIN runs r ON r.id = n.run_id AND r.reference IS NOT ${reference()}
      CROSS JOIN runs other ON other.benchmark = r.benchmark AND other.definition_sha256 = r.definition_sha256
        AND other.reference = ${reference()} AND other.seed = r.seed
      CROSS JOIN run_jobs o ON o.run_id = other.id CROSS JOIN jobs beside ON beside.key = o.job_key`,
  )

/** Of an evaluation of retrain, all that it is beside. */
export const pairsBeside = (db: Database, key: string): Promise<Pair[]> =>
  pairsWhere(
    db,
    sql`FROM jobs beside CROSS JOIN run_jobs o ON o.job_key = beside.key
      CROSS JOIN runs other ON other.id = o.run_id AND other.reference = ${reference()} AND beside.key = ${key}
      CROSS JOIN runs r ON r.benchmark = other.benchmark AND r.definition_sha256 = other.definition_sha256
        AND r.seed = other.seed
      CROSS JOIN run_jobs n ON n.run_id = r.id CROSS JOIN jobs own ON own.key = n.job_key`,
  )
