/** Re-scoring in the Worker: a portion of the evaluations of a board, the metrics of which are computed anew in TypeScript. What is too
 *  much work here is left to a machine with the engine, and named. */
import { and, eq, gt, sql } from 'drizzle-orm'
import { metricNamed } from '../../../runner/science/catalogue/catalogue.ts'
import { EVIDENCE } from '../../../runner/science/task.ts'
import { byteSize } from '../../../runner/words/numbers.ts'
import { version } from '../../../runner/words/version.ts'
import type { RescoreReport } from '../../../schema/api/score.ts'
import { type Benchmark, isMetric } from '../../../schema/benchmark.ts'
import type { Target } from '../../../schema/catalogue/catalogue.ts'
import { definitionOf } from '../../../schema/plan.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import { ofTwoModels, scienceTasks } from '../../http/catalogue.ts'
import { SERVER } from '../parts/scores.ts'
import { addScores, changesIn, type Known, newestScores, tell } from './add-scores.ts'
import { computeHere } from './compute.ts'
import { bytesOf, evidenceIn, evidenceReader, MOST_BYTES } from './evidence.ts'
import { pairsOf } from './pairs.ts'
import { refsOfRetrain, wantedOf } from './score-pairs.ts'

/** No evaluation begins after this: a Worker may compute for 30 seconds. Its clock stands still while it computes, and is right again
 *  once the next evidence was read. */
const LONG_MS = 20_000

export interface Asked {
  dryRun: boolean
  after?: string | undefined
  limit: number
  onlyMissing: boolean
}

interface Context {
  db: Database
  store: R2Bucket
  now: number
}

/** In the order of stage keys, which stays while jobs end. Private runs are among them. */
export async function rescore(
  { benchmarks }: Target,
  asked: Asked,
  { db, store, now }: Context,
): Promise<RescoreReport> {
  const { dryRun, limit, onlyMissing, after } = asked
  const bySlug = new Map(benchmarks.map((benchmark) => [benchmark.slug, benchmark]))
  const here = await evaluationsOf(db, benchmarks)
  const rows = await here.page(after, limit + 1)
  const portion = rows.slice(0, limit).map((row) => {
    const benchmark = bySlug.get(row.benchmark)!
    const science = scienceTasks.get(benchmark.task.id)
    return { ...row, benchmark, science, refs: science ? evidenceIn(science, row.result?.artifacts ?? {}) : {} }
  })
  const newest = await newestScores(
    db,
    portion.map(({ key }) => key),
  )
  const readable = portion.filter(({ refs }) => bytesOf(refs) <= MOST_BYTES)
  const beside = await pairsOf(
    db,
    portion.flatMap(({ key, benchmark }) => (ofTwoModels(benchmark).length > 0 ? [key] : [])),
  )
  const read = await evidenceReader(db, store, [
    ...readable.map(({ refs }) => refs),
    ...beside.map((pair) => refsOfRetrain({}, pair)),
  ])
  const report: Omit<RescoreReport, 'remaining'> = {
    ...{ dryRun, at: isoTime(now), evaluations: 0, changes: [], confirmed: 0, left: [], problems: [] },
    unknown: [...new Set(benchmarks.flatMap((benchmark) => splitMetrics(benchmark).unknown))],
    next: null,
  }
  const began = Date.now()
  /** Metrics that were too much for one evaluation are so for the next one of its benchmark that is as large. */
  const beyond = new Set<string>()
  for (const { key: job, benchmark, science, refs } of portion) {
    if (Date.now() - began > LONG_MS) break
    report.evaluations += 1
    report.next = job
    if (!science) continue
    const known = newest.get(job)
    const ofOne = splitMetrics(benchmark).known.filter((named) => !ofTwoModels(benchmark).includes(named))
    const pairs = beside
      .filter((pair) => pair.own === job && pair.benchmark === benchmark.slug)
      .map((pair) => ({ pair, wanted: wantedOf(pair, known, { anew: !onlyMissing }) }))
    const all = [
      { pair: null, wanted: ofOne.filter((named) => !(onlyMissing && hasValue(known, named))) },
      ...pairs,
    ].filter(({ wanted }) => wanted.length > 0)
    if (all.length === 0) continue
    const { task } = benchmark
    const leave = ({ pair, wanted }: (typeof all)[number], why: string, metrics = wanted) => {
      const retrain = pair && { retrain: pair.retrained[EVIDENCE]! }
      if (metrics.length > 0) report.left.push({ job, task: task.id, artifacts: refs, metrics, why, ...retrain })
    }
    if (bytesOf(refs) > MOST_BYTES) {
      for (const each of all)
        leave(each, `evidence of ${byteSize(bytesOf(refs))}, of at most ${byteSize(MOST_BYTES)} here`)
      continue
    }
    const found = await read(science, refs)
    if ('trouble' in found) {
      report.problems.push({ job, why: found.trouble })
      continue
    }
    const place = (named: string) => `${benchmark.slug} ${named} ${bytesOf(refs)}`
    const evidence = Object.fromEntries(Object.entries(refs).map(([name, { sha256 }]) => [name, sha256]))
    for (const each of all) {
      const { pair, wanted } = each
      const retrain = pair && (await read(science, refsOfRetrain(refs, pair)))
      if (retrain && 'trouble' in retrain) {
        report.problems.push({ job, why: `of retrain: ${retrain.trouble}` })
        continue
      }
      const reference = retrain ? { ...retrain, sha256: pair!.retrained[EVIDENCE]!.sha256 } : undefined
      const tried = wanted.filter((named) => !beyond.has(place(named)))
      const { values, tooLong, unscored } = await computeHere(science, found.evidence, tried, { reference })
      for (const named of tooLong) beyond.add(place(named))
      for (const { named, error } of unscored) report.problems.push({ job, why: `${named}: ${error.message}` })
      const left = wanted.filter((named) => beyond.has(place(named)))
      leave(each, 'more work than a Worker may do for one evaluation', left)
      const changes = changesIn(job, known, values)
      const written = dryRun ? changes : await addScores(db, { job, evidence, by: SERVER, version, now }, changes)
      if (written) tell(report, written)
      else report.problems.push({ job, why: 'it was computed anew meanwhile; rescore once more' })
    }
  }
  const remaining = await here.countAfter(report.next ?? after)
  return { ...report, remaining, next: remaining > 0 ? report.next : null }
}

const hasValue = (known: ReadonlyMap<string, Known> | undefined, named: string) =>
  [...(known?.keys() ?? [])].some((identity) => isMetric(named, identity))

/** The metrics of a benchmark, those apart that no metric here has the name of. */
function splitMetrics({ task, metrics }: Benchmark): { known: string[]; unknown: string[] } {
  const known = metrics.filter((named) => metricNamed(task.id, named))
  return { known, unknown: metrics.filter((named) => !known.includes(named)) }
}

/** Evaluate jobs that are done, of the runs that boards show and of private ones. */
async function evaluationsOf(db: Database, benchmarks: Benchmark[]) {
  const slugs = JSON.stringify(benchmarks.map(({ slug }) => slug))
  const definitions = JSON.stringify(await Promise.all(benchmarks.map(definitionOf)))
  const where = (after: string | undefined) =>
    and(
      sql`${runs.benchmark} IN (SELECT value FROM json_each(${slugs}))`,
      sql`${runs.definitionSha256} IN (SELECT value FROM json_each(${definitions}))`,
      eq(jobs.kind, 'evaluate'),
      sql`+${jobs.state} = 'done'`,
      after ? gt(jobs.key, after) : undefined,
    )
  return {
    page: (after: string | undefined, limit: number) =>
      db
        .select({ key: jobs.key, result: jobs.result, benchmark: runs.benchmark })
        .from(runs)
        .innerJoin(runJobs, eq(runJobs.runId, runs.id))
        .innerJoin(jobs, eq(jobs.key, runJobs.jobKey))
        .where(where(after))
        .groupBy(jobs.key)
        .orderBy(jobs.key)
        .limit(limit),
    async countAfter(after: string | undefined): Promise<number> {
      const row = await db
        .select({ count: sql<number>`COUNT(DISTINCT ${jobs.key})` })
        .from(runs)
        .innerJoin(runJobs, eq(runJobs.runId, runs.id))
        .innerJoin(jobs, eq(jobs.key, runJobs.jobKey))
        .where(where(after))
        .get()
      return row?.count ?? 0
    },
  }
}
