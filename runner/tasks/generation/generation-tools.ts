/** What metrics of generated images are handed: products by the engine, and orders that are the same on every machine. */

import { openLinearAlgebra } from '../../engine/linear-algebra.ts'
import { randomStream } from '../../engine/nn/random.ts'
import type { GenerationTools } from '../../science/tasks/generation-evidence.ts'

export function openGenerationTools(
  options: { threads?: number; signal?: AbortSignal } = {},
): GenerationTools & { release(): Promise<void> } {
  const { multiply, release } = openLinearAlgebra(options)
  return {
    multiply,
    release,
    shuffles(purpose) {
      // No seed of a run: a metric is a function of its evidence alone.
      const random = randomStream(0, `metrics/${purpose}`)
      return (count) => random.shuffle(Int32Array.from(Array(count).keys()))
    },
  }
}
