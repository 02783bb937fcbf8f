/** Which metrics an evaluate job is to compute: those of the benchmarks of all runs that want it, or the stage that it repeats. Those of
 *  two models follow when retrain is evaluated too. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import type { Database } from '../../bindings/database.ts'
import { benchmarkNamed, ofTwoModels } from '../../http/catalogue.ts'
import { knowOwnBenchmarks } from '../benchmarks/known.ts'

/** In the order of the benchmarks' slugs, then of their columns. */
export async function metricsWanted(db: Database, jobKey: string): Promise<string[]> {
  await knowOwnBenchmarks(db)
  const rows = await db
    .selectDistinct({ benchmark: runs.benchmark })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .where(
      and(
        sql`${runJobs.jobKey} = COALESCE((SELECT of_key FROM repeats WHERE job_key = ${jobKey}), ${jobKey})`,
        isNull(runs.cancelledAt),
      ),
    )
    .orderBy(runs.benchmark)
  const benchmarks = rows.flatMap(({ benchmark }) => benchmarkNamed(benchmark) ?? [])
  const later = benchmarks.flatMap(ofTwoModels)
  return [...new Set(benchmarks.flatMap(({ metrics }) => metrics.filter((named) => !later.includes(named))))]
}
