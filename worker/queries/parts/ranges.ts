/** Ranges that values of runners must lie in, so that sums, squares and means over them stay numbers. Checked where values come in;
 *  those that were stored before stay as they are. */
import type { StageResult } from '../../../schema/result.ts'
import { metricNamed, scienceTasks } from '../../http/catalogue.ts'

/** Three years. */
const MOST_SECONDS = 1e8
/** Distances and scores of images are some thousands at most. */
const MOST_VALUE = 1e12
/** A pebibyte. */
const MOST_BYTES = 2 ** 50
const MOST_THREADS = 1e6
/** The largest float32, in which losses are computed. */
const MOST_LOSS = 3.4028234663852886e38

/** Such as `metrics.ua: expected from 0 to 100 (%), got 1e+300`; null where all is within its range. */
export function outOfRange({ metrics, seconds, memory, device, losses }: StageResult): string | null {
  const parts = [
    ...Object.entries(seconds).map(([part, value]) => outside(`seconds.${part}`, value, [0, MOST_SECONDS])),
    ...Object.entries(memory ?? {}).map(([part, value]) => outside(`memory.${part}`, value, [0, MOST_BYTES])),
    outside('device.threads', device.threads, [0, MOST_THREADS]),
    ...losses.map((loss, at) => outside(`losses.${at}`, loss, [-MOST_LOSS, MOST_LOSS])),
  ]
  return metricOutOfRange(metrics) ?? parts.find((part) => part !== null) ?? null
}

/** By the unit of the metric that an identity names: a share lies in [0, 100]. */
export function metricOutOfRange(metrics: StageResult['metrics']): string | null {
  for (const [id, { identity, value }] of Object.entries(metrics)) {
    const unit = unitOf(identity)
    const found = outside(`metrics.${id}`, value, unit === '%' ? [0, 100] : [-MOST_VALUE, MOST_VALUE], unit)
    if (found) return found
  }
  return null
}

function unitOf(identity: string): string {
  const [named] = identity.split(';') as [string]
  for (const task of scienceTasks.keys()) {
    const [, metric] = metricNamed(task, named) ?? []
    if (metric) return metric.unit
  }
  return ''
}

function outside(where: string, value: number | undefined, [least, most]: [number, number], unit = ''): string | null {
  if (value === undefined || (value >= least && value <= most)) return null
  return `${where}: expected from ${least} to ${most}${unit && ` (${unit})`}, got ${value}`
}
