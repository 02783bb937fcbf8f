/** A path beside retrain: how far each of its points lies from there. Pages and the command line both take it from here. */
import type { Path, Point } from '../../schema/path.ts'
import type { StageResult } from '../../schema/result.ts'
import { avgGapOf, gapsOf } from './comparison.ts'

/** Retrain's values count where they are of the very same metric. */
export type Retrain = StageResult['metrics']

export interface PointBesideRetrain extends Point {
  /** value − retrain's, of each metric that retrain has. */
  gaps: Record<string, number>
  /** Mean |gap| over all metrics of the path; null where retrain lacks one. */
  meanGap: number | null
}

export function besideRetrain({ metrics, points }: Path, retrain: Retrain): PointBesideRetrain[] {
  const ids = Object.keys(metrics)
  const alike = ids.filter((id) => retrain[id]?.identity === metrics[id])
  const reference = Object.fromEntries(alike.map((id) => [id, retrain[id]!.value]))
  return points.map((point) => ({
    ...point,
    gaps: gapsOf(point.values, reference),
    meanGap: avgGapOf(point.values, reference, ids),
  }))
}

/** Such as `3`; the result of what is no pass is `end`. */
export const passWords = ({ pass }: Pick<Point, 'pass'>): string => (pass === null ? 'end' : String(pass))
