/** The path of a run that was looked at along the way, from its stored file. */
import { besideRetrain, type PointBesideRetrain } from '../../../runner/science/path.ts'
import { isSame } from '../../../runner/science/score.ts'
import type { Run } from '../../../schema/api/run.ts'
import { MOST_PATH_BYTES, PATH, path } from '../../../schema/path.ts'
import type { Database } from '../../bindings/database.ts'
import { artifactOf } from '../artifacts/artifacts.ts'

export interface ShownPath {
  sha256: string
  /** Ids of the metrics. */
  metrics: string[]
  points: PointBesideRetrain[]
  /** Metrics whose last value is not the one that the run shows: one of the two is wrong. */
  elsewhere: string[]
}

/** Null where none was asked for or is there yet; in words why one can't be shown. */
export async function pathOf(
  db: Database,
  store: R2Bucket,
  run: Pick<Run, 'stages' | 'metrics'>,
): Promise<ShownPath | string | null> {
  const stage = run.stages.find(({ spec }) => spec.kind === 'unlearn' && spec.every)
  const ref = stage?.artifacts[PATH]
  if (!ref) return null
  const artifact = await artifactOf(db, ref.sha256)
  if (artifact && artifact.bytes > MOST_PATH_BYTES) return 'it is too large to be drawn'
  const object = artifact && (await store.get(artifact.path))
  if (!object) return 'it is no longer stored'
  const { data } = path.safeParse(await object.json().catch(() => null))
  if (!data) return 'its file is none'
  const shown = Object.entries(run.metrics)
  const retrain = shown.flatMap(([id, { retrain, retrainIdentity }]) =>
    retrain === null || retrainIdentity === null ? [] : [[id, { value: retrain, identity: retrainIdentity }] as const],
  )
  const last = data.points.at(-1)!.values
  const elsewhere = shown.flatMap(([id, { identity, value }]) =>
    data.metrics[id] === identity && !isSame(last[id]!, value) ? [id] : [],
  )
  const points = besideRetrain(data, Object.fromEntries(retrain))
  return { sha256: ref.sha256, metrics: Object.keys(data.metrics), points, elsewhere }
}
