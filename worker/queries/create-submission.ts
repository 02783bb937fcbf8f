/** Stores a submission, its runs and the jobs that no earlier submission asked for, in one transaction. */
import { and, eq, inArray } from 'drizzle-orm'
import type { z } from 'zod'
import type { createSubmission as shape } from '../../schema/api/submission.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { ApiError } from '../../schema/errors.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { canonicalJson, inputsOf, type StageSpec, sha256Hex } from '../../schema/stage.ts'
import { runs } from '../../schema/tables/runs.ts'
import { submissions } from '../../schema/tables/submissions.ts'
import { methodOf, referencesOf, resolveParams, targetOf } from '../catalogue.ts'
import { type Database, newId } from '../database.ts'
import type { Identity } from '../env.ts'
import { runsWithState } from './run-state.ts'

interface Planned {
  submissions: (typeof submissions.$inferInsert)[]
  runs: (typeof runs.$inferInsert)[]
  jobs: Map<string, StageSpec>
  runJobs: { runId: string; jobKey: string; position: number }[]
}

/** One benchmark with one seed: what a run of a submission is about. */
interface Place {
  benchmark: Benchmark
  definitionSha256: string
  seed: number
  ordinal: number
  part: number
}

export async function createSubmission(
  db: Database,
  request: z.infer<typeof shape>,
  { identity, idempotencyKey }: { identity: Identity; idempotencyKey: string | null },
): Promise<{ id: string; created: boolean }> {
  const { slug, benchmarks } = targetOf(request.benchmark)
  // Benchmarks of a suite share presets and methods.
  const [benchmark] = benchmarks as [Benchmark]
  const params = resolveParams(benchmark, request.method, request.params)
  const requestSha256 = await sha256Hex(canonicalJson(request))
  const repeated = () => findRepeated(db, identity, idempotencyKey, requestSha256)
  const earlier = await repeated()
  if (earlier) return { id: earlier, created: false }

  const plan: Planned = { submissions: [], runs: [], jobs: new Map(), runJobs: [] }
  const places = await placesOf(benchmarks, request.seeds ?? benchmark.seeds)
  const { name: author, tokenId } = identity
  const common = { benchmark: slug, author, tokenId, createdAt: Date.now() }
  // References go first, so that rows are compared as soon as they are measured.
  for (const reference of referencesOf(benchmark).filter((method) => method !== request.method)) {
    const missing = await placesWithout(db, reference, places)
    if (missing.length > 0) {
      const row = { ...common, label: '', requestSha256: '', params: resolveParams(benchmark, reference, {}) }
      await addTo(plan, reference, missing, row)
    }
  }
  const { label } = request
  const id = await addTo(plan, request.method, places, { ...common, label, params, requestSha256, idempotencyKey })
  try {
    await store(db, plan, common.createdAt)
  } catch (error) {
    // Two requests with one idempotency key at once: the unique index lets one through.
    const winner = await repeated()
    if (!winner) throw error
    return { id: winner, created: false }
  }
  return { id, created: true }
}

async function placesOf(benchmarks: Benchmark[], seeds: number[]): Promise<Place[]> {
  const definitions = await Promise.all(benchmarks.map(definitionOf))
  return benchmarks.flatMap((benchmark, part) =>
    seeds.map((seed, ordinal) => ({ benchmark, definitionSha256: definitions[part]!, seed, ordinal, part })),
  )
}

async function findRepeated(db: Database, { tokenId }: Identity, idempotencyKey: string | null, requestSha256: string) {
  if (idempotencyKey === null) return null
  const row = await db
    .select({ id: submissions.id, requestSha256: submissions.requestSha256 })
    .from(submissions)
    .where(and(eq(submissions.tokenId, tokenId), eq(submissions.idempotencyKey, idempotencyKey)))
    .get()
  if (row && row.requestSha256 !== requestSha256) {
    throw new ApiError(
      'idempotency_mismatch',
      `the key "${idempotencyKey}" was used for another submission (${row.id}); use a new key for a new request`,
    )
  }
  return row?.id ?? null
}

async function placesWithout(db: Database, method: string, places: Place[]): Promise<Place[]> {
  const definitions = [...new Set(places.map(({ definitionSha256 }) => definitionSha256))]
  const found = await runsWithState(
    db,
    and(
      inArray(runs.definitionSha256, definitions),
      eq(submissions.method, method),
      eq(submissions.methodVersion, methodOf(method).version),
    ),
  )
  // A reference that failed is asked for again, which queues its failed stage once more.
  const alive = found.filter(({ state }) => state !== 'failed' && state !== 'cancelled')
  const have = new Set(alive.map(({ definitionSha256, seed }) => `${definitionSha256} ${seed}`))
  return places.filter(({ definitionSha256, seed }) => !have.has(`${definitionSha256} ${seed}`))
}

type RowOf = Omit<typeof submissions.$inferInsert, 'sequence' | 'id' | 'method' | 'methodVersion'> & {
  params: Record<string, unknown>
}

async function addTo(plan: Planned, method: string, places: Place[], row: RowOf) {
  const { version, trainsOn } = methodOf(method)
  const definition = { id: method, version, ...(trainsOn && { trainsOn }) }
  const submissionId = newId(row.createdAt)
  plan.submissions.push({ ...row, id: submissionId, method, methodVersion: version })
  for (const { benchmark, ...place } of places) {
    const id = newId(row.createdAt)
    plan.runs.push({ id, submissionId, benchmark: benchmark.slug, ...place })
    const stages = await planRun(benchmark, definition, row.params, place.seed)
    for (const [position, stage] of stages.entries()) {
      plan.jobs.set(stage.key, stage.spec)
      plan.runJobs.push({ runId: id, jobKey: stage.key, position })
    }
  }
  return submissionId
}

/** A bound parameter of D1 holds at most 2 MB, and a stage about 2 kB. */
const ROWS_AT_ONCE = 500

/** Rows travel as JSON, some hundred in a parameter: D1 binds at most 100 parameters a statement. (drizzle's `batch` drops the
 *  parameters of raw statements, so these go to D1 directly.) A stage that failed or was cancelled before is queued again;
 *  every other stage that exists is left as it is. */
async function store({ $client: d1 }: Database, plan: Planned, now: number) {
  const jobs = [...plan.jobs].map(([key, spec]) => ({ key, kind: spec.kind, spec, now }))
  const inputs = [...plan.jobs].flatMap(([key, spec]) => inputsOf(spec).map((input) => ({ key, input })))
  const rows = (values: unknown[], statement: string) =>
    Array.from({ length: Math.ceil(values.length / ROWS_AT_ONCE) }, (_, i) =>
      d1.prepare(statement).bind(JSON.stringify(values.slice(i * ROWS_AT_ONCE, (i + 1) * ROWS_AT_ONCE))),
    )
  await d1.batch([
    ...rows(
      plan.submissions,
      `INSERT INTO submissions (id, benchmark, method, method_version, params, label, author, token_id,
        idempotency_key, request_sha256, created_at)
      SELECT value ->> 'id', value ->> 'benchmark', value ->> 'method', value ->> 'methodVersion', value -> 'params', value ->> 'label', value ->> 'author', value ->> 'tokenId',
        value ->> 'idempotencyKey', value ->> 'requestSha256', value ->> 'createdAt' FROM json_each(?)`,
    ),
    ...rows(
      plan.runs,
      `INSERT INTO runs (id, submission_id, benchmark, definition_sha256, seed, ordinal, part)
      SELECT value ->> 'id', value ->> 'submissionId', value ->> 'benchmark', value ->> 'definitionSha256',
        value ->> 'seed', value ->> 'ordinal', value ->> 'part' FROM json_each(?)`,
    ),
    ...rows(
      jobs,
      `INSERT INTO jobs (key, kind, spec, created_at)
      SELECT value ->> 'key', value ->> 'kind', value -> 'spec', value ->> 'now' FROM json_each(?) WHERE true
      ON CONFLICT (key) DO UPDATE SET state = 'queued', failed = 0, reason = NULL, message = NULL, finished_at = NULL
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
      SELECT value ->> 'runId', value ->> 'jobKey', value ->> 'position' FROM json_each(?)`,
    ),
  ])
}
