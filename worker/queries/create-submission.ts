/** Stores a submission, its runs and the jobs that no earlier submission asked for, in one transaction. */
import { and, eq } from 'drizzle-orm'
import type { z } from 'zod'
import type { createSubmission as shape } from '../../schema/api/submission.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { ApiError } from '../../schema/errors.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { canonicalJson, inputsOf, type StageSpec, sha256Hex } from '../../schema/stage.ts'
import { submissions } from '../../schema/tables/submissions.ts'
import { benchmarkOf, methodOf, referencesOf, resolveParams } from '../catalogue.ts'
import { type Database, newId } from '../database.ts'
import type { Identity } from '../env.ts'
import { runsWithState } from './run-state.ts'

interface Planned {
  submissions: (typeof submissions.$inferInsert)[]
  runs: { id: string; submissionId: string; seed: number; ordinal: number }[]
  jobs: Map<string, StageSpec>
  runJobs: { runId: string; jobKey: string; position: number }[]
}

export async function createSubmission(
  db: Database,
  request: z.infer<typeof shape>,
  { identity, idempotencyKey }: { identity: Identity; idempotencyKey: string | null },
): Promise<{ id: string; created: boolean }> {
  const benchmark = benchmarkOf(request.benchmark)
  const params = resolveParams(benchmark, request.method, request.params)
  const seeds = request.seeds ?? benchmark.seeds
  const requestSha256 = await sha256Hex(canonicalJson(request))
  const repeated = () => findRepeated(db, identity, idempotencyKey, requestSha256)
  const earlier = await repeated()
  if (earlier) return { id: earlier, created: false }

  const plan: Planned = { submissions: [], runs: [], jobs: new Map(), runJobs: [] }
  const definitionSha256 = await definitionOf(benchmark)
  const { name: author, tokenId } = identity
  const common = { benchmark: benchmark.slug, definitionSha256, author, tokenId, createdAt: Date.now() }
  // References go first, so that rows are compared as soon as they are measured.
  for (const reference of referencesOf(benchmark).filter((method) => method !== request.method)) {
    const missing = await seedsWithout(db, reference, definitionSha256, seeds)
    if (missing.length > 0) {
      const row = { ...common, label: '', requestSha256: '', params: resolveParams(benchmark, reference, {}) }
      await addTo(plan, benchmark, reference, missing, row)
    }
  }
  const { label } = request
  const id = await addTo(plan, benchmark, request.method, seeds, {
    ...common,
    label,
    params,
    requestSha256,
    idempotencyKey,
  })
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

async function seedsWithout(db: Database, method: string, definition: string, seeds: number[]): Promise<number[]> {
  const runs = await runsWithState(
    db,
    and(
      eq(submissions.definitionSha256, definition),
      eq(submissions.method, method),
      eq(submissions.methodVersion, methodOf(method).version),
    ),
  )
  // A reference that failed is asked for again, which queues its failed stage once more.
  const alive = runs.filter(({ state }) => state !== 'failed' && state !== 'cancelled')
  const have = new Set(alive.map(({ seed }) => seed))
  return seeds.filter((seed) => !have.has(seed))
}

type RowOf = Omit<typeof submissions.$inferInsert, 'sequence' | 'id' | 'method' | 'methodVersion'> & {
  params: Record<string, unknown>
}

async function addTo(plan: Planned, benchmark: Benchmark, method: string, seeds: number[], row: RowOf) {
  const { version, trainsOn } = methodOf(method)
  const id = newId(row.createdAt)
  plan.submissions.push({ ...row, id, method, methodVersion: version })
  for (const [ordinal, seed] of seeds.entries()) {
    const runId = newId(row.createdAt)
    plan.runs.push({ id: runId, submissionId: id, seed, ordinal })
    const definition = { id: method, version, ...(trainsOn && { trainsOn }) }
    const stages = await planRun(benchmark, definition, row.params, seed)
    for (const [position, stage] of stages.entries()) {
      plan.jobs.set(stage.key, stage.spec)
      plan.runJobs.push({ runId, jobKey: stage.key, position })
    }
  }
  return id
}

/** Rows travel as one JSON parameter a table: D1 binds at most 100 parameters a statement. (drizzle's `batch` drops the
 *  parameters of raw statements, so these go to D1 directly.) A stage that failed or was cancelled before is queued again;
 *  every other stage that exists is left as it is. */
async function store({ $client: d1 }: Database, plan: Planned, now: number) {
  const jobs = [...plan.jobs].map(([key, spec]) => ({ key, kind: spec.kind, spec, now }))
  const inputs = [...plan.jobs].flatMap(([key, spec]) => inputsOf(spec).map((input) => ({ key, input })))
  const rows = (values: unknown, statement: string) => d1.prepare(statement).bind(JSON.stringify(values))
  await d1.batch([
    rows(
      plan.submissions,
      `INSERT INTO submissions (id, benchmark, definition_sha256, method, method_version, params, label, author, token_id,
        idempotency_key, request_sha256, created_at)
      SELECT value ->> 'id', value ->> 'benchmark', value ->> 'definitionSha256', value ->> 'method',
        value ->> 'methodVersion', value -> 'params', value ->> 'label', value ->> 'author', value ->> 'tokenId',
        value ->> 'idempotencyKey', value ->> 'requestSha256', value ->> 'createdAt' FROM json_each(?)`,
    ),
    rows(
      plan.runs,
      `INSERT INTO runs (id, submission_id, seed, ordinal)
      SELECT value ->> 'id', value ->> 'submissionId', value ->> 'seed', value ->> 'ordinal' FROM json_each(?)`,
    ),
    rows(
      jobs,
      `INSERT INTO jobs (key, kind, spec, created_at)
      SELECT value ->> 'key', value ->> 'kind', value -> 'spec', value ->> 'now' FROM json_each(?) WHERE true
      ON CONFLICT (key) DO UPDATE SET state = 'queued', failed = 0, reason = NULL, message = NULL, finished_at = NULL
      WHERE jobs.state IN ('failed', 'cancelled')`,
    ),
    rows(
      inputs,
      `INSERT INTO job_inputs (job_key, input_key)
      SELECT value ->> 'key', value ->> 'input' FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
    ),
    rows(
      plan.runJobs,
      `INSERT INTO run_jobs (run_id, job_key, position)
      SELECT value ->> 'runId', value ->> 'jobKey', value ->> 'position' FROM json_each(?)`,
    ),
  ])
}
