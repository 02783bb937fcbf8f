/** Holds a result against what its stage asks for, before it counts: files that are what they are called, evidence of the right
 *  examples, and values that follow from it. Nothing that a runner says is believed where the server can see for itself. */
import { inArray, sql } from 'drizzle-orm'
import { type Asked, type AskedEvidence, type ScienceTask, SPLIT } from '../../../runner/science/task.ts'
import { ApiError } from '../../../schema/errors.ts'
import type { StageResult } from '../../../schema/result.ts'
import type { StageSpec } from '../../../schema/stage.ts'
import { artifacts } from '../../../schema/tables/artifacts.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { scienceTasks } from '../../http/catalogue.ts'
import type { Worth } from '../parts/scores.ts'
import { bytesOf, evidenceIn, evidenceReader, MOST_BYTES } from '../scores/evidence.ts'
import { pathProblem } from './check-path.ts'
import { splitProblem } from './check-split.ts'
import { tensorProblem } from './check-tensors.ts'
import { askedOf, expectedOf } from './expected.ts'
import { worthOf } from './worth.ts'

interface Finished {
  key: string
  result: StageResult
  /** The metrics that the benchmarks of its runs name. */
  wanted(): Promise<string[]>
}

/** Throws ApiError `invalid_result` for one that cannot be. What was named must have been uploaded. */
export async function checkResult(db: Database, store: R2Bucket, { key, result, wanted }: Finished): Promise<Worth> {
  const { stage, inputs } = await specsOf(db, key)
  const asked = askedOf(stage, inputs)
  await checkFiles(db, store, stage, { asked, result })
  if (stage.kind === 'evaluate') return checkEvidence(db, store, { stage, asked, result, wanted })
  if (Object.keys(result.metrics).length > 0) {
    refuse(`expected no metrics of a stage that does not evaluate, got ${Object.keys(result.metrics).join(', ')}`)
  }
  return { computed: {}, claimed: {} }
}

function refuse(why: string): never {
  throw new ApiError('invalid_result', `${why}; the stage must be computed anew`)
}

/** Of the job and of those that it reads, in one question. */
async function specsOf(db: Database, key: string) {
  const rows = await db
    .select({ key: jobs.key, spec: jobs.spec })
    .from(jobs)
    .where(
      sql`${jobs.key} IN (SELECT ${key} UNION SELECT value FROM jobs own, json_each(own.spec, '$.inputs') WHERE own.key = ${key})`,
    )
  const specs = new Map(rows.map((row) => [row.key, row.spec]))
  const stage = specs.get(key)
  if (!stage) throw new ApiError('not_found', `no job ${key}`)
  const inputs = Object.entries('inputs' in stage ? stage.inputs : {}).flatMap(([name, input]) => {
    const spec = specs.get(input)
    return spec ? [[name, spec] as const] : []
  })
  return { stage, inputs: Object.fromEntries(inputs) }
}

async function checkFiles(
  db: Database,
  store: R2Bucket,
  stage: StageSpec,
  { asked, result }: { asked: Asked | null; result: StageResult },
): Promise<void> {
  const expected = expectedOf(stage, asked)
  const named = Object.entries(expected).filter(([name, { optional }]) => {
    if (result.artifacts[name]) return true
    if (!optional) refuse(`expected the artifact ${name}, got ${Object.keys(result.artifacts).join(', ') || 'none'}`)
    return false
  })
  const hashes = named.map(([name]) => result.artifacts[name]!.sha256)
  const rows = hashes.length > 0 ? await db.select().from(artifacts).where(inArray(artifacts.sha256, hashes)) : []
  const stored = new Map(rows.map((row) => [row.sha256, row]))
  for (const [name, { tensors }] of named) {
    const { sha256, bytes } = result.artifacts[name]!
    const found = stored.get(sha256)
    if (!found) throw new ApiError('missing_artifact', `${name}: ${sha256} was not uploaded; upload it first`)
    const file = { path: found.path, bytes }
    const problem =
      (tensors === 'path'
        ? await pathProblem(store, file, stage)
        : await tensorProblem(store, file, tensors).catch(messageOfBad)) ??
      (name === SPLIT && stage.kind === 'evaluate'
        ? await splitProblem(store, file, { stage, images: asked?.data.train ?? null }).catch(messageOfBad)
        : null)
    if (problem) refuse(`${name}: ${problem}`)
  }
}

/** What files, evidence and metrics throw when they are none. */
function messageOfBad(error: unknown): string {
  if (error instanceof Error && ['SafetensorsError', 'MetricError'].includes(error.name)) return error.message
  throw error
}

async function checkEvidence(
  db: Database,
  store: R2Bucket,
  { stage, asked, result, wanted }: Omit<Finished, 'key'> & { stage: AskedEvidence['stage']; asked: Asked | null },
): Promise<Worth> {
  const science: ScienceTask | undefined = scienceTasks.get(stage.task)
  const refs = science ? evidenceIn(science, result.artifacts) : {}
  if (!science || bytesOf(refs) > MOST_BYTES) return { computed: {}, claimed: result.metrics }
  const read = await evidenceReader(db, store, [refs])
  const found = await read(science, refs)
  if ('trouble' in found) refuse(found.trouble)
  const hashes = Object.fromEntries(Object.entries(refs).map(([name, { sha256 }]) => [name, sha256]))
  try {
    const objection = asked && science.objection?.(found.evidence, { ...asked, stage, hashes })
    if (objection) refuse(`the evidence is not that of this stage: ${objection}`)
  } catch (error) {
    refuse(messageOfBad(error))
  }
  const worth = await worthOf(science, found.evidence, {
    claimed: result.metrics,
    wanted: await wanted(),
  })
  return 'objection' in worth ? refuse(worth.objection) : worth
}
