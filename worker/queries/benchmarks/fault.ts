/** What is wrong with a definition that an organiser sent. Images are at the runners, so of a folder of images neither classes nor
 *  shapes are known here. */
import { architectures } from '../../../runner/engine/nn/architectures/architectures.ts'
import { weightsFault } from '../../../runner/engine/nn/architectures/weight-shapes.ts'
import { benchmarkFault, modelsOf, planFault } from '../../../runner/science/catalogue/benchmark-fault.ts'
import { classesFault } from '../../../runner/science/class-fault.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { pictured, picturedOf, unpictured } from '../../../schema/classes.ts'

/** In words; null where nothing is. */
export async function definitionFault(benchmark: Benchmark): Promise<string | null> {
  const datasets = [...Object.keys(pictured), ...unpictured]
  const fault = benchmarkFault(benchmark, { datasets, architectures: (task) => architectures[task] ?? {} })
  if (fault !== null) return fault
  const data = picturedOf(benchmark.dataset)
  if (!data) return planFault(benchmark)
  const images = { channels: data.channels, height: data.size, width: data.size, classes: data.classes.length }
  const unbuilt = modelsOf(benchmark).map(({ model }) => weightsFault(model, images))
  return classesFault(benchmark, data) ?? unbuilt.find((found) => found !== null) ?? planFault(benchmark)
}
