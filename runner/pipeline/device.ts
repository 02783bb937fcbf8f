/** The device that stages run on, as results record it. */
import { availableParallelism, cpus } from 'node:os'
import type { Device } from '../../schema/result.ts'

/** Times of two results are compared only when their device classes are equal. */
export function deviceOf(threads: number): Device {
  const count = threads > 0 ? threads : availableParallelism()
  const name = (cpus()[0]?.model ?? 'unknown processor').replace(/\s+/g, ' ').trim()
  return { deviceClass: `cpu/${name}/${count} threads`, provider: 'cpu', precision: 'float32', threads: count }
}
