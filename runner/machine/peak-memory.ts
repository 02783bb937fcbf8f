/** The most memory that a stage held at once. */
import type { Memory } from '../../schema/result.ts'
import type { Provider } from '../engine/onnx/session.ts'
import { usedOnGpu } from './gpus.ts'

const LOOK_EVERY_MS = 1000

export interface MemoryWatch {
  /** So far, if this process did nothing else. */
  peak(): Memory
  stop(): void
}

/** On a GPU, what it holds more than at the beginning, looked at about once a second, between two calls of the engine: what was
 *  taken and given back in between is missed, and another process on the same GPU is counted. A stage that ended before the first
 *  look has no figure. */
export async function watchMemory(provider: Provider = 'cpu'): Promise<MemoryWatch> {
  const hostPeak = () => process.resourceUsage().maxRSS * 1024
  if (provider === 'cpu') return { peak: () => ({ hostBytes: hostPeak() }), stop: () => {} }
  const before = await usedOnGpu()
  const looks: number[] = []
  const timer = setInterval(async () => looks.push((await usedOnGpu()) - before), LOOK_EVERY_MS)
  return {
    peak: () => ({
      hostBytes: hostPeak(),
      ...(looks.length > 0 && { deviceBytes: looks.reduce((most, look) => Math.max(most, look), 0) }),
    }),
    stop: () => clearInterval(timer),
  }
}
