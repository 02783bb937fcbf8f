/** What finished runs measured: scores of their evaluate stage, seconds of the stage that made the model. */
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { makerOf, secondsOf } from '../../../runner/science/comparison.ts'
import { retrainIn } from '../../../runner/science/pair.ts'
import { EVIDENCE } from '../../../runner/science/task.ts'
import { isMetric } from '../../../schema/benchmark.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import { benchmarkNamed, columnsOf } from '../../http/catalogue.ts'
import { isDone, type Score, scoresOf } from '../parts/scores.ts'

export interface Measured {
  /** By metric id; only metrics whose identity the benchmark shows. */
  metrics: Record<string, number>
  /** Their identities in full. */
  identities: Record<string, string>
  /** Set-up, mask and unlearning; for methods that are a training, set-up and training. */
  seconds: number
  mask: number | null
  deviceClass: string
  /** SHA-256 of its evidence; null of an average of several. */
  evidence: string | null
  /** Values of two models, each under the identity that says which retrain it was computed with; the newest last. Those beside the
   *  retrain that counts become `metrics`. */
  beside: { id: string; identity: string; value: number }[]
}

export type JobPart = Pick<typeof jobs.$inferSelect, 'kind' | 'seconds' | 'device'> & { evidence: string | null }

const evidence = sql<string | null>`CASE WHEN ${jobs.kind} = 'evaluate'
  THEN json_extract(${jobs.result}, ${`$.artifacts."${EVIDENCE}".sha256`}) END`

/** Runs all of whose jobs are done, by run id. */
export async function measurementsOf(db: Database, where: SQL | undefined): Promise<Map<string, Measured>> {
  const [rows, scores] = await Promise.all([
    db
      .select({
        run: runs.id,
        benchmark: runs.benchmark,
        kind: jobs.kind,
        seconds: jobs.seconds,
        device: jobs.device,
        evidence,
      })
      .from(runs)
      .innerJoin(submissions, eq(submissions.id, runs.submissionId))
      .innerJoin(runJobs, eq(runJobs.runId, runs.id))
      .innerJoin(jobs, and(eq(jobs.key, runJobs.jobKey), isDone))
      // A run that was withdrawn is cancelled, and its stages may be done all the same.
      .where(and(where, isNull(runs.cancelledAt)))
      .orderBy(runJobs.runId, runJobs.position),
    scoresOf(db, where),
  ])
  const byRun = Map.groupBy(rows, ({ run }) => run)
  return new Map(
    [...byRun].flatMap(([run, parts]) => {
      const measured = measuredOf(parts, scores.get(run) ?? [], parts[0]!.benchmark)
      return measured ? [[run, measured] as const] : []
    }),
  )
}

/** From the finished jobs of one run, in their order, and its scores, the oldest first; null until the evaluation is among them. */
export function measuredOf(parts: JobPart[], scores: Score[], slug: string): Measured | null {
  const maker = makerOf(parts)
  const benchmark = benchmarkNamed(slug)
  const evaluation = parts.find(({ kind }) => kind === 'evaluate')
  if (!maker?.seconds || !maker.device || !benchmark || !evaluation) return null
  const columns = columnsOf(benchmark)
  const found = columns.flatMap(({ id, identity, ofTwo }) => {
    const score = ofTwo ? undefined : scores.findLast((score) => isMetric(identity, score.identity))
    return score ? [{ id, ...score }] : []
  })
  const beside = columns
    .filter(({ ofTwo }) => ofTwo)
    .flatMap(({ id, identity: named }) =>
      scores
        .filter(({ identity }) => isMetric(named, identity))
        .map(({ identity, value }) => ({ id, identity, value })),
    )
  return {
    metrics: Object.fromEntries(found.map(({ id, value }) => [id, value])),
    identities: Object.fromEntries(found.map(({ id, identity }) => [id, identity])),
    seconds: secondsOf(maker.seconds),
    mask: maker.seconds.mask ?? null,
    deviceClass: maker.device.deviceClass,
    evidence: evaluation.evidence,
    beside,
  }
}

/** With the values of two models that were computed beside this evidence of retrain; without it they count for nothing. */
export function besideRetrain<Own extends Measured>(own: Own, retrain: Measured | undefined): Own {
  const counting = own.beside.filter(({ identity }) => retrain && retrainIn(identity) === retrain.evidence)
  const values = counting.map(({ id, value }) => [id, value])
  const identities = counting.map(({ id, identity }) => [id, identity])
  return {
    ...own,
    metrics: { ...own.metrics, ...Object.fromEntries(values) },
    identities: { ...own.identities, ...Object.fromEntries(identities) },
  }
}
