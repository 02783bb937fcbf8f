/** How soon models learned D_f again, from the evidence of a run and of its retrain: few numbers of a file that may be large. */
import { and, eq, inArray } from 'drizzle-orm'
import { readHeader, SafetensorsError } from '../../../runner/formats/safetensors.ts'
import { EVIDENCE } from '../../../runner/science/task.ts'
import type { Run } from '../../../schema/api/run.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { artifactOf } from '../artifacts/artifacts.ts'

/** A look at a model while it learned: after so many steps, how many of D_f and of test images it was right about. */
export interface CurvePoint {
  step: number
  forget: number
  test: number
}

export interface Curves {
  own: CurvePoint[]
  /** Of retrain with the same seed; null where there is none, and on its own page. */
  retrain: CurvePoint[] | null
  /** Images of D_f, which is how many of each it was asked about at most. */
  images: number
}

const NAME = 'relearn.curve'
const MOST_HEADER_BYTES = 2 ** 20

/** Null where the benchmark does not ask for them, or nothing is stored yet. */
export async function curvesOf(
  db: Database,
  store: R2Bucket,
  { id, reference, benchmark }: Pick<Run, 'id' | 'reference' | 'benchmark'>,
): Promise<Curves | null> {
  const { relearn } = (benchmark.task.probes ?? {}) as { relearn?: object }
  if (!relearn) return null
  const rows = await db
    .select({ run: runJobs.runId, result: jobs.result })
    .from(runJobs)
    .innerJoin(jobs, eq(jobs.key, runJobs.jobKey))
    .where(and(inArray(runJobs.runId, [id, ...(reference ? [reference] : [])]), eq(jobs.state, 'done')))
  const curveOf = async (of: string) => {
    const evidence = rows.flatMap(({ run, result }) => (run === of ? (result?.artifacts[EVIDENCE] ?? []) : []))[0]
    return evidence ? curveIn(db, store, evidence.sha256) : null
  }
  const own = await curveOf(id)
  if (!own) return null
  const retrain = reference && reference !== id ? await curveOf(reference) : null
  return { own: own.points, retrain: retrain?.points ?? null, images: own.images }
}

async function curveIn(
  db: Database,
  store: R2Bucket,
  sha256: string,
): Promise<{ points: CurvePoint[]; images: number } | null> {
  const artifact = await artifactOf(db, sha256)
  if (!artifact) return null
  const { path, bytes } = artifact
  const read = async (offset: number, length: number) => {
    const object = await store.get(path, { range: { offset, length } })
    return new Uint8Array(object ? await object.arrayBuffer() : new ArrayBuffer(0))
  }
  try {
    const { entries, start } = await readHeader(read, { bytes, most: MOST_HEADER_BYTES })
    const curve = entries.find(({ name }) => name === NAME)
    const labels = entries.find(({ name }) => name === 'forget.labels')
    if (!curve || !labels) return null
    const data = await read(start + curve.begin, curve.end - curve.begin)
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const at = (index: number) => view.getFloat32(4 * index, true)
    const points = Array.from({ length: curve.shape[0]! }, (_, i) => ({
      ...{ step: at(3 * i), forget: at(3 * i + 1) },
      test: at(3 * i + 2),
    }))
    return { points, images: labels.shape[0]! }
  } catch (error) {
    // A page is shown also where the file is no longer stored or is none.
    if (error instanceof SafetensorsError) return null
    throw error
  }
}
