/** The pictures of samples that belong beside one another: of original, retrain and the run itself, with one seed. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { RunSamples, RunStage } from '../../../schema/api/run.ts'
import type { ForgetRequest } from '../../../schema/parts/recipe.ts'
import { stageKeyOf, stageSpec } from '../../../schema/stage.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import type { Database } from '../../bindings/database.ts'
import type { Viewer } from '../../bindings/env.ts'
import { artifactOf } from '../artifacts/artifacts.ts'
import { readableBy } from '../parts/readable.ts'

/** What sample stages call the picture. */
const PICTURE = 'samples.png'

/** Follows from the run's own stages, so that it also finds what runs of an earlier definition are to be seen beside. */
export async function samplesOf(
  db: Database,
  stages: Pick<RunStage, 'key' | 'spec'>[],
  request: ForgetRequest,
  viewer: Viewer,
): Promise<RunSamples[]> {
  const own = stages.find(({ spec }) => spec.kind === 'sample')
  const trained = stages.map(({ spec }) => spec).find((spec) => spec.kind === 'train')
  // Specs of older releases may have another shape, and so no key that could be found.
  if (own?.spec.kind !== 'sample' || !trained || !stageSpec.safeParse(own.spec).success) return []
  // Original and retrain have the draws that all trainings share.
  const { draws: _, ...train } = trained
  const sample = own.spec
  const beside = async (without: ForgetRequest | null) =>
    stageKeyOf({ ...sample, inputs: { ...sample.inputs, weights: await stageKeyOf({ ...train, without }) } })
  const [original, retrain] = await Promise.all([beside(null), beside(request)])
  const wanted: Pick<RunSamples, 'of' | 'stage'>[] = [
    { of: 'original', stage: original },
    { of: 'retrain', stage: retrain },
  ]
  if (own.key !== original && own.key !== retrain) wanted.push({ of: 'run', stage: own.key })
  // The first run that the viewer may read: a stage that many share is not read for all of them.
  const run = db
    .select({ id: runJobs.runId })
    .from(runJobs)
    .innerJoin(runs, eq(runs.id, runJobs.runId))
    .innerJoin(submissions, eq(submissions.id, runs.submissionId))
    .where(and(eq(runJobs.jobKey, jobs.key), readableBy(viewer)))
    .orderBy(sql`run_jobs.rowid`)
    .limit(1)
  const keys = wanted.map(({ stage }) => stage)
  const rows = await db
    .select({ key: jobs.key, state: jobs.state, result: jobs.result, run: sql<string | null>`${run}` })
    .from(jobs)
    .where(inArray(jobs.key, keys))
  const found = rows.filter(({ run }) => run !== null)
  const byKey = new Map(found.map((row) => [row.key, row]))
  return wanted.map(({ of, stage }) => {
    const row = byKey.get(stage)
    return {
      of,
      stage,
      state: row?.state ?? null,
      run: row?.run ?? null,
      picture: row?.state === 'done' ? (row.result?.artifacts[PICTURE] ?? null) : null,
    }
  })
}

/** Width and height of a stored PNG, from its first 24 bytes: 8 of signature, then the chunk IHDR. Null for anything else. */
export async function pictureSize(
  db: Database,
  store: R2Bucket,
  sha256: string,
): Promise<{ width: number; height: number } | null> {
  const artifact = await artifactOf(db, sha256)
  const object = artifact && (await store.get(artifact.path, { range: { offset: 0, length: 24 } }))
  const bytes = object && (await object.arrayBuffer())
  if (!bytes || bytes.byteLength < 24) return null
  const view = new DataView(bytes)
  if (view.getUint32(0) !== 0x89504e47 || view.getUint32(12) !== 0x49484452) return null
  return { width: view.getUint32(16), height: view.getUint32(20) }
}
