/** Jobs: stages that a runner can lease. The words of this code base:
 *
 *  benchmark   dataset, model, forget request, training recipe and metrics; data in schema/benchmarks/
 *  method      an unlearning algorithm; `original`, `retrain` and their seconds are methods too
 *  suite       benchmarks that differ only in the class to be forgotten; data in schema/suites/
 *  submission  one method with parameters, for one benchmark or suite, by one author, over a list of seeds
 *  run         one seed of a submission on one benchmark
 *  task        what kind of model forgets, such as classification; data in schema/tasks/
 *  stage       train, unlearn, sample or evaluate, named by its stage key: the hash of everything that its result is asked for by
 *  computation a stage, and what it was computed by: device, threads, onnxruntime, sources, inputs; what one machine keeps a result
 *              under
 *  job         a stage as a row of this table; runs that need the same stage share the job
 *  lease       the time-limited right to write about a job
 *  job token   the fencing token of a lease; it changes on every renewal, and every write must carry the newest
 *  delivery    one lease of a job; `lost` counts deliveries whose lease ran out, `failed` those a runner ended as failed
 *  attempt     the number of a delivery, counted from 1
 *  runner      a machine that leases jobs
 *  evidence    what evaluation measured before any metric, stored by SHA-256
 *  metric      a pure function of evidence with a version and an identity
 *  score       what a metric says of the evidence of a job
 */
import { sql } from 'drizzle-orm'
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { StoredCheckpoint } from '../protocol/checkpoint.ts'
import { failureReasons } from '../protocol/fail.ts'
import type { Requirements } from '../requirements.ts'
import type { Device, Progress, Seconds, StageResult } from '../result.ts'
import { type StageSpec, stageKinds } from '../stage.ts'

export const jobStates = ['queued', 'leased', 'done', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

export const jobs = sqliteTable(
  'jobs',
  {
    key: text().primaryKey(),
    kind: text({ enum: stageKinds }).notNull(),
    spec: text({ mode: 'json' }).$type<StageSpec>().notNull(),
    state: text({ enum: jobStates }).notNull().default('queued'),
    /** Of the runner that it is given to; null asks for nothing. */
    requires: text({ mode: 'json' }).$type<Requirements>(),
    /** That its key is of: only runners that have it are given the job. */
    engine: text().notNull().default('palimpsest@2'),
    /** Equal for stages that take about the same time. */
    likeness: text().notNull(),
    deliveries: integer().notNull().default(0),
    lost: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    /** Failures of deliveries up to this one do not count: the stage was asked for anew after it. */
    anewAfter: integer().notNull().default(0),
    /** Of the newest delivery, whether it still runs or has ended. */
    tokenSha256: text().unique(),
    leaseExpiresAt: integer(),
    runnerId: text(),
    /** Its name at that time. */
    runner: text(),
    progress: text({ mode: 'json' }).$type<Progress>(),
    /** Where the next delivery goes on; retention clears it once the job has ended. */
    checkpoint: text({ mode: 'json' }).$type<StoredCheckpoint>(),
    /** UTF-8 bytes of the log of the current delivery. */
    logLength: integer().notNull().default(0),
    /** Number of the next chunk of that log. */
    logSequence: integer().notNull().default(0),
    reason: text({ enum: failureReasons }),
    message: text(),
    result: text({ mode: 'json' }).$type<StageResult>(),
    /** Parts of `result` that boards read without its long arrays. */
    seconds: text({ mode: 'json' }).$type<Seconds>(),
    device: text({ mode: 'json' }).$type<Device>(),
    createdAt: integer().notNull(),
    startedAt: integer(),
    finishedAt: integer(),
  },
  (table) => [
    index('jobs_failed').on(table.finishedAt).where(sql`state = 'failed'`),
    index('jobs_state').on(table.state),
    index('jobs_likeness').on(table.likeness, table.finishedAt).where(sql`state = 'done'`),
    index('jobs_lease').on(table.leaseExpiresAt).where(sql`state = 'leased'`),
  ],
)
