/** What others see of the weights while a method moves them: after each run of an optimizer, on nobody's clock. */
import type { Tensor } from '../onnx/tensor.ts'
import type { Memory } from './memory.ts'
import { asJson } from './outcomes.ts'

/** Looks at parameters and buffers and leaves them as they are. What it gives is kept as JSON, and comes from a checkpoint where the
 *  trainer goes on. */
export type Watch = (state: ReadonlyMap<string, Tensor>) => Promise<unknown>

export interface Watching {
  /** Has the weights looked at as they are now; nothing where nobody watches. A call like any other, so that none is made twice. */
  look(): Promise<void>
  /** What was seen so far, in order. */
  looks(): unknown[]
  /** Seconds of this attempt that were spent on looks. */
  seconds(): number
}

export function watchingOf(memory: Memory, watch: Watch | undefined): Watching {
  const seen: unknown[] = []
  let ms = 0
  return {
    async look() {
      if (!watch) return
      const found = await memory.perform(asJson<unknown>(), async () => {
        const from = performance.now()
        try {
          return await watch(memory.state)
        } finally {
          ms += performance.now() - from
        }
      })
      seen.push(found)
    },
    looks: () => seen,
    seconds: () => ms / 1000,
  }
}
