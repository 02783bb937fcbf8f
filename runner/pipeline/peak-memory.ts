/** The most memory that a stage held at once. */
import type { Memory } from '../../schema/result.ts'
import type { Provider } from '../onnx/session.ts'
import { usedOnGpu } from '../probe/gpus.ts'

const LOOK_EVERY_MS = 1000

export interface MemoryWatch {
  /** So far, if this process did nothing else. */
  peak(): Memory
  stop(): void
}

/** On a GPU, what it holds more than at the beginning, looked at once a second between two calls of the engine: its arena keeps what
 *  it took, so nothing is missed, but another process on the same GPU would be counted. */
export async function watchMemory(provider: Provider = 'cpu'): Promise<MemoryWatch> {
  const hostPeak = () => process.resourceUsage().maxRSS * 1024
  if (provider === 'cpu') return { peak: () => ({ hostBytes: hostPeak() }), stop: () => {} }
  const before = await usedOnGpu()
  let deviceBytes = 0
  const timer = setInterval(async () => {
    deviceBytes = Math.max(deviceBytes, (await usedOnGpu()) - before)
  }, LOOK_EVERY_MS)
  return { peak: () => ({ hostBytes: hostPeak(), deviceBytes }), stop: () => clearInterval(timer) }
}
