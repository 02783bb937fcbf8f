/** One run in full, and lists of runs. */
import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import { avgGapOf, fractionOfRetrain } from '../../../runner/science/comparison.ts'
import { EVIDENCE } from '../../../runner/science/task.ts'
import { type ListQuery, LOOKED_AT } from '../../../schema/api/page.ts'
import type { Run, RunListItem, RunMetric, RunStage } from '../../../schema/api/run.ts'
import type { RunState } from '../../../schema/api/submission.ts'
import { type Benchmark, isMetric } from '../../../schema/benchmark.ts'
import { ApiError } from '../../../schema/errors.ts'
import { nextSteps } from '../../../schema/protocol/next-step.ts'
import type { Every } from '../../../schema/stage.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import type { Viewer } from '../../bindings/env.ts'
import { benchmarkOf, columnsOf, REFERENCE, suiteWith, titleOf } from '../../http/catalogue.ts'
import { closerIn } from '../boards/board.ts'
import { besideRetrain, type Measured, measuredOf, measurementsOf } from '../boards/measurements.ts'
import { readableBy } from '../parts/readable.ts'
import { runState, runsWithState } from '../parts/run-state.ts'
import { type HistoricScore, scoreHistory } from '../parts/scores.ts'
import { shownLabel, withdrawalOf } from '../parts/withdrawal.ts'
import { commandFor } from './command.ts'
import { deliveriesOf } from './deliveries.ts'
import { repeatsOf } from './repeats.ts'
import { samplesOf } from './samples.ts'

export async function getRun(db: Database, id: string, viewer: Viewer): Promise<Run> {
  const [[found], row, stages, scores] = await Promise.all([
    runsWithState(db, and(eq(runs.id, id), readableBy(viewer))),
    db
      .select({ submission: submissions, run: runs })
      .from(runs)
      .innerJoin(submissions, eq(submissions.id, runs.submissionId))
      .where(eq(runs.id, id))
      .get(),
    db
      .select({ job: jobs, shared: earlierRun })
      .from(runJobs)
      .innerJoin(jobs, eq(jobs.key, runJobs.jobKey))
      .where(eq(runJobs.runId, id))
      .orderBy(asc(runJobs.position)),
    scoreHistory(db, id),
  ])
  if (!found || !row) throw new ApiError('not_found', `no run "${id}"`)
  const { submission, run } = row
  const benchmark = benchmarkOf(run.benchmark)
  const parts = stages
    .filter(({ job }) => job.state === 'done')
    .map(({ job }) => ({ ...job, evidence: job.result?.artifacts[EVIDENCE]?.sha256 ?? null }))
  const alone = measuredOf(parts, scores, run.benchmark)
  const keys = stages.map(({ job }) => job.key)
  const [reference, samples, history, repeats] = await Promise.all([
    referenceOf(db, run, viewer),
    samplesOf(
      db,
      stages.map(({ job }) => job),
      benchmark.request,
      viewer,
    ),
    deliveriesOf(db, keys),
    repeatsOf(db, keys),
  ])
  const { method, methodVersion, params, visibility, author } = submission
  const own = alone && besideRetrain(alone, reference?.measured)
  return {
    id,
    submission: submission.id,
    benchmark,
    method,
    methodVersion,
    title: titleOf(method),
    params,
    label: shownLabel(submission),
    visibility,
    author,
    seed: found.seed,
    state: found.state,
    createdAt: isoTime(submission.createdAt),
    withdrawn: withdrawalOf(submission),
    stages: stages.map(({ job, shared }) =>
      stageOf(job, {
        shared: Boolean(shared),
        history: history.get(job.key) ?? [],
        repeat: repeats.get(job.key) ?? null,
      }),
    ),
    samples,
    metrics: own ? metricsOf(benchmark, own, { retrain: reference?.measured, scores }) : {},
    avgGap: own ? avgGapOf(own.metrics, reference?.measured.metrics, closerIn(columnsOf(benchmark))) : null,
    seconds: own?.seconds ?? null,
    fractionOfRetrain: own ? fractionOfRetrain(own, reference?.measured) : null,
    reference: reference?.id ?? null,
    command: commandFor(benchmark, method, params, [found.seed], benchmark.slug, everyOf(stages)),
  }
}

/** What the run is looked at after, while it unlearns. */
const everyOf = (stages: { job: Pick<typeof jobs.$inferSelect, 'spec'> }[]): Every | undefined =>
  stages.flatMap(({ job: { spec } }) => (spec.kind === 'unlearn' && spec.every) || [])[0]

/** Keys of its jobs. */
export async function jobsOfRun(db: Database, id: string, viewer: Viewer): Promise<string[]> {
  const rows = await db
    .select({ key: runJobs.jobKey })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .where(and(eq(runJobs.runId, id), readableBy(viewer)))
  if (rows.length === 0) throw new ApiError('not_found', `no run "${id}"`)
  return rows.map(({ key }) => key)
}

/** 1 where a run of an earlier submission needed the same job. Reads no more of the job's runs than those of this very
 *  submission, since rows are in the order in which submissions came. */
const earlierRun = sql<number>`EXISTS (
  SELECT 1 FROM run_jobs other CROSS JOIN runs r
  WHERE other.job_key = ${jobs.key} AND other.rowid < run_jobs.rowid AND r.id = other.run_id
    AND r.submission_id <> (SELECT own.submission_id FROM runs own WHERE own.id = ${runJobs.runId}))`

/** The finished retrain run of the same benchmark, definition and seed. Found by the few submissions of retrain to the benchmark
 *  or its suite. */
async function referenceOf(
  db: Database,
  { benchmark, definitionSha256, seed }: Pick<typeof runs.$inferSelect, 'benchmark' | 'definitionSha256' | 'seed'>,
  viewer: Viewer,
) {
  const where = and(
    inArray(submissions.benchmark, [benchmark, suiteWith(benchmark)?.slug ?? benchmark]),
    // The + keeps SQLite from beginning with all runs of the benchmark.
    sql`+${runs.benchmark} = ${benchmark}`,
    eq(submissions.method, REFERENCE),
    eq(runs.definitionSha256, definitionSha256),
    eq(runs.seed, seed),
    readableBy(viewer),
  )
  const [first] = await measurementsOf(db, where)
  return first ? { id: first[0], measured: first[1] } : null
}

function metricsOf(
  benchmark: Benchmark,
  own: Measured,
  { retrain, scores }: { retrain: Measured | undefined; scores: HistoricScore[] },
): Run['metrics'] {
  const columns = columnsOf(benchmark)
  const shown = new Map(
    columns.map(({ id }) => [id, scores.findLast(({ identity }) => identity === own.identities[id])]),
  )
  const entries = columns.flatMap(
    ({ id, identity: named, title, unit, better, inAvgGap, ofTwo }): [string, RunMetric][] => {
      const value = own.metrics[id]
      if (value === undefined) return []
      const reference = retrain?.metrics[id] ?? null
      const gap = reference === null ? null : value - reference
      const identity = own.identities[id]!
      const retrainIdentity = retrain?.identities[id] ?? null
      const now = shown.get(id)
      const earlier = scores
        .filter((score) => score.metric === id || isMetric(named, score.identity))
        .filter((score) => ![...shown.values()].includes(score))
        .map((score) => ({ identity: score.identity, value: score.value, ...computedBy(score) }))
        .reverse()
      const scored = now && { computed: computedBy(now), confirmed: Boolean(now.confirmed) }
      // A value of two models never comes with a result.
      const isFirst = ofTwo ? scores.find((score) => score.identity === now?.identity) === now : now?.handedIn
      const rescored = now && !isFirst ? computedBy(now) : null
      const compared = { retrain: reference, gap, retrainIdentity }
      return scored
        ? [[id, { title, unit, identity, better, inAvgGap, ofTwo, value, ...compared, ...scored, rescored, earlier }]]
        : []
    },
  )
  return Object.fromEntries(entries)
}

const computedBy = ({ by, version, computedAt }: HistoricScore) => ({ by, version, at: isoTime(computedAt) })

function stageOf(
  job: typeof jobs.$inferSelect,
  { shared, history, repeat }: Pick<RunStage, 'shared' | 'history' | 'repeat'>,
): RunStage {
  const { key, spec, state, runner, progress, seconds, device, result, logLength } = job
  const { deliveries, lost, failed, reason, message, startedAt, finishedAt } = job
  return {
    key,
    spec,
    state,
    shared,
    runner,
    progress,
    seconds,
    device,
    memory: result?.memory ?? null,
    versions: result?.versions ?? {},
    artifacts: result?.artifacts ?? {},
    losses: result?.losses ?? [],
    logLength,
    deliveries,
    lost,
    failed,
    history,
    repeat,
    reason,
    message,
    nextStep: reason && nextSteps[reason],
    startedAt: startedAt === null ? null : isoTime(startedAt),
    finishedAt: finishedAt === null ? null : isoTime(finishedAt),
  }
}

/** Looks at the newest so many only, whatever is asked for. */
export async function listRuns(
  db: Database,
  { benchmark, method, state, limit, before }: ListQuery & { state?: RunState | undefined },
  viewer: Viewer,
): Promise<{ runs: RunListItem[]; next: string | null }> {
  const newest = db
    .select({ id: runs.id, submissionId: runs.submissionId, benchmark: runs.benchmark })
    .from(runs)
    .where(before ? lt(runs.id, before) : undefined)
    .orderBy(desc(runs.id))
    .limit(LOOKED_AT)
    .as('newest')
  const fits = and(
    benchmark ? eq(newest.benchmark, benchmark) : undefined,
    method ? eq(submissions.method, method) : undefined,
    readableBy(viewer),
  )
  const seen = await db
    .select({ id: newest.id, fits: fits ? sql<number>`${fits}` : sql<number>`1` })
    .from(newest)
    .innerJoin(submissions, eq(submissions.id, newest.submissionId))
    .orderBy(desc(newest.id))
  const found = seen.flatMap(({ id, fits }) => (fits ? [id] : []))
  // A state is known of what is read in full only.
  const candidates = JSON.stringify(state ? found : found.slice(0, limit + 1))
  const rows = await runsWithState(db, sql`${runs.id} IN (SELECT value FROM json_each(${candidates}))`)
    .having(state ? eq(runState, state) : undefined)
    .orderBy(desc(runs.id))
    .limit(limit + 1)
  const page = rows
    .slice(0, limit)
    .map(({ submissionId, createdAt, finishedAt: _, definitionSha256: __, stagesDone, stages, ...row }) => ({
      ...row,
      submission: submissionId,
      stages: { done: stagesDone, total: stages },
      createdAt: isoTime(createdAt),
    }))
  const last = seen.length === LOOKED_AT ? seen.at(-1)! : undefined
  const next = rows.length > limit ? page.at(-1) : last
  return { runs: page, next: next?.id ?? null }
}
