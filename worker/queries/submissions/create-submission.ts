/** Stores a submission, its runs and the jobs that no earlier submission asked for, in one transaction. */
import { and, eq, inArray } from 'drizzle-orm'
import type { z } from 'zod'
import type { createSubmission as shape } from '../../../schema/api/submission.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { engineOf } from '../../../schema/engine.ts'
import { ApiError } from '../../../schema/errors.ts'
import { likenessOf } from '../../../schema/likeness.ts'
import { definitionOf, planRun } from '../../../schema/plan.ts'
import type { Requirements } from '../../../schema/requirements.ts'
import { type Every, inputsOf, type StageSpec } from '../../../schema/stage.ts'
import { runs } from '../../../schema/tables/runs.ts'
import type { submissions } from '../../../schema/tables/submissions.ts'
import { type Database, newId, type Statement } from '../../bindings/database.ts'
import type { Identity, Settings } from '../../bindings/env.ts'
import {
  methodOf,
  plannable,
  referenceName,
  referencesOf,
  refuseLooks,
  resolveParams,
  targetOf,
} from '../../http/catalogue.ts'
import type { Once } from '../../http/idempotency.ts'
import { refuseRetired } from '../benchmarks/organise.ts'
import { createOnce } from '../parts/once.ts'
import { runsWithState } from '../parts/run-state.ts'
import { SERVER } from '../parts/server.ts'
import { announceEnds, retractEnds } from '../webhooks/announce-ends.ts'
import { requireRoom, roomGuard } from './run-limits.ts'

interface Planned {
  submissions: (typeof submissions.$inferInsert)[]
  runs: (typeof runs.$inferInsert)[]
  jobs: Map<string, { spec: StageSpec; requires: Requirements | null; engine: string; likeness: string }>
  runJobs: { runId: string; jobKey: string; position: number }[]
}

/** One benchmark with one seed: what a run of a submission is about. */
interface SeededBenchmark {
  benchmark: Benchmark
  definitionSha256: string
  seed: number
  ordinal: number
  part: number
}

export async function createSubmission(
  db: Database,
  request: z.infer<typeof shape>,
  { identity, once, settings }: { identity: Identity; once: Once; settings: Settings },
): Promise<{ id: string; created: boolean }> {
  const asked = { author: identity.name, count: 0, settings, now: once.now }
  try {
    return await createOnce(db, once, async () => {
      const { id, plan } = await planSubmission(db, request, identity, once.now)
      asked.count = plan.runs.length
      await requireRoom(db, asked)
      return { id, statements: [roomGuard(db, asked), ...statementsFor(db, plan, once.now)] }
    })
  } catch (error) {
    // Another request at the same time may have taken the room that there was.
    if (!(error instanceof ApiError)) await requireRoom(db, asked)
    throw error
  }
}

async function planSubmission(db: Database, request: z.infer<typeof shape>, identity: Identity, now: number) {
  const { slug, benchmarks } = targetOf(request.benchmark)
  refuseRetired(slug)
  // Benchmarks of a suite share presets and methods.
  const [benchmark] = benchmarks as [Benchmark]
  const params = resolveParams(benchmark, request.method, request.params)
  refuseLooks(benchmark, request.method, request.every)
  const plan: Planned = { submissions: [], runs: [], jobs: new Map(), runJobs: [] }
  const asked = await seededOf(benchmarks, request.seeds ?? benchmark.seeds)
  const { name: author, tokenId } = identity
  const common = { benchmark: slug, createdAt: now }
  // References go first, so that rows are compared as soon as they are measured.
  for (const reference of referencesOf(benchmark).filter((method) => method !== request.method)) {
    const missing = await unmetBy(db, reference, asked)
    if (missing.length > 0) {
      const params = resolveParams(benchmark, reference, {})
      const row = { ...common, ...SERVER, visibility: 'public' as const, label: '', params }
      await addTo(plan, reference, missing, row, { reference: referenceName(reference) })
    }
  }
  const { label, visibility, tuning, every } = request
  const row = { ...common, author, tokenId, visibility, label, params, tuning }
  const id = await addTo(plan, request.method, asked, row, { every })
  return { id, plan }
}

async function seededOf(benchmarks: Benchmark[], seeds: number[]): Promise<SeededBenchmark[]> {
  const definitions = await Promise.all(benchmarks.map(definitionOf))
  return benchmarks.flatMap((benchmark, part) =>
    seeds.map((seed, ordinal) => ({ benchmark, definitionSha256: definitions[part]!, seed, ordinal, part })),
  )
}

/** Those for which there is no reference of that method, or none that may still come to a good end. */
async function unmetBy(db: Database, method: string, asked: SeededBenchmark[]): Promise<SeededBenchmark[]> {
  const definitions = [...new Set(asked.map(({ definitionSha256 }) => definitionSha256))]
  const found = await runsWithState(
    db,
    and(inArray(runs.definitionSha256, definitions), eq(runs.reference, referenceName(method))),
  )
  // A reference that failed is asked for again, which queues its failed stage once more.
  const alive = found.filter(({ state }) => state !== 'failed' && state !== 'cancelled')
  // Benchmarks of one definition share stages but no runs, for each shows metrics of its own.
  const have = new Set(alive.map((run) => `${run.benchmark} ${run.definitionSha256} ${run.seed}`))
  return asked.filter(
    ({ benchmark, definitionSha256, seed }) => !have.has(`${benchmark.slug} ${definitionSha256} ${seed}`),
  )
}

type RowOf = Omit<typeof submissions.$inferInsert, 'sequence' | 'id' | 'method' | 'methodVersion'> & {
  params: Record<string, unknown>
}

async function addTo(
  plan: Planned,
  method: string,
  asked: SeededBenchmark[],
  row: RowOf,
  { reference = null, every }: { reference?: string | null; every?: Every | undefined } = {},
): Promise<string> {
  const definition = plannable(method, methodOf(method))
  const submissionId = newId(row.createdAt)
  plan.submissions.push({ ...row, id: submissionId, method, methodVersion: definition.version })
  for (const { benchmark, ...about } of asked) {
    const requires = Object.keys(benchmark.requires).length > 0 ? benchmark.requires : null
    const id = newId(row.createdAt)
    plan.runs.push({ id, submissionId, benchmark: benchmark.slug, reference, ...about })
    const stages = await planRun(benchmark, definition, row.params, about.seed, { every })
    for (const [position, stage] of stages.entries()) {
      const { spec } = stage
      plan.jobs.set(stage.key, { spec, requires, engine: engineOf(spec), likeness: await likenessOf(spec) })
      plan.runJobs.push({ runId: id, jobKey: stage.key, position })
    }
  }
  return submissionId
}

/** A bound parameter of D1 holds at most 2 MB, and a stage about 2 kB. */
const ROWS_AT_ONCE = 500

/** Rows travel as JSON, some hundred in a parameter: D1 binds at most 100 parameters a statement. A stage
 *  that failed or was cancelled before is queued again; every other stage that exists is left as it is. */
function statementsFor(db: Database, plan: Planned, now: number): Statement[] {
  const jobs = [...plan.jobs].map(([key, job]) => ({ key, kind: job.spec.kind, ...job, now }))
  const inputs = [...plan.jobs].flatMap(([key, { spec }]) => inputsOf(spec).map((input) => ({ key, input })))
  const rows = (values: unknown[], statement: string) =>
    Array.from({ length: Math.ceil(values.length / ROWS_AT_ONCE) }, (_, i) =>
      db.$client.prepare(statement).bind(JSON.stringify(values.slice(i * ROWS_AT_ONCE, (i + 1) * ROWS_AT_ONCE))),
    )
  return [
    ...retractEnds(db, [...plan.jobs.keys()]),
    ...rows(
      plan.submissions,
      `INSERT INTO submissions (id, benchmark, method, method_version, params, label, visibility, author, token_id,
        created_at, tuning)
      SELECT value ->> 'id', value ->> 'benchmark', value ->> 'method', value ->> 'methodVersion', value -> 'params',
        value ->> 'label', value ->> 'visibility', value ->> 'author', value ->> 'tokenId', value ->> 'createdAt',
        NULLIF(value -> 'tuning', 'null') FROM json_each(?)`,
    ),
    ...rows(
      plan.runs,
      // There is one reference of a kind, whoever asks at the same time; one that was cancelled is asked for again.
      `INSERT INTO runs (id, submission_id, benchmark, definition_sha256, seed, ordinal, part, reference)
      SELECT value ->> 'id', value ->> 'submissionId', value ->> 'benchmark', value ->> 'definitionSha256',
        value ->> 'seed', value ->> 'ordinal', value ->> 'part', value ->> 'reference' FROM json_each(?) WHERE true
      ON CONFLICT (benchmark, definition_sha256, reference, seed) WHERE reference IS NOT NULL
      DO UPDATE SET cancelled_at = NULL, announced = CASE WHEN runs.cancelled_at IS NULL THEN runs.announced END`,
    ),
    ...rows(
      plan.submissions,
      `DELETE FROM submissions WHERE id IN (SELECT value ->> 'id' FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.submission_id = submissions.id)`,
    ),
    ...rows(
      jobs,
      `INSERT INTO jobs (key, kind, spec, requires, engine, likeness, created_at)
      SELECT value ->> 'key', value ->> 'kind', value -> 'spec', value ->> 'requires', value ->> 'engine', value ->> 'likeness', value ->> 'now' FROM json_each(?) WHERE true
      ON CONFLICT (key) DO UPDATE SET state = 'queued', failed = 0, anew_after = jobs.deliveries, requires = excluded.requires, reason = NULL, message = NULL, finished_at = NULL
      WHERE jobs.state IN ('failed', 'cancelled')`,
    ),
    ...rows(
      inputs,
      `INSERT INTO job_inputs (job_key, input_key)
      SELECT value ->> 'key', value ->> 'input' FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
    ),
    ...rows(
      plan.runJobs,
      `INSERT INTO run_jobs (run_id, job_key, position)
      SELECT value ->> 'runId', value ->> 'jobKey', value ->> 'position' FROM json_each(?)
      WHERE EXISTS (SELECT 1 FROM runs r WHERE r.id = value ->> 'runId')`,
    ),
    // A run all of whose stages exist has ended with its submission.
    ...announceEnds(db, { submissions: plan.submissions.map(({ id }) => id) }, now),
  ]
}
