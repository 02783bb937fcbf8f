/** What is wrong with a definition that an organiser sent. Images are at the runners, so of a folder of images neither classes nor
 *  shapes are known here. */
import { architectures } from '../../../runner/engine/nn/architectures/architectures.ts'
import { benchmarkFault } from '../../../runner/science/catalogue/benchmark-fault.ts'
import { classesFault } from '../../../runner/science/class-fault.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { IMAGE_FOLDER, pictured, picturedOf } from '../../../schema/classes.ts'

/** In words; null where nothing is. */
export function definitionFault(benchmark: Benchmark): string | null {
  const datasets = [...Object.keys(pictured), IMAGE_FOLDER]
  const fault = benchmarkFault(benchmark, { datasets, architectures: (task) => architectures[task] ?? {} })
  if (fault !== null) return fault
  const data = picturedOf(benchmark.dataset)
  return data ? classesFault(benchmark, data) : null
}
