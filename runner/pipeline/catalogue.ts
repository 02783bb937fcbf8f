/** What this checkout knows by name, and words for names it does not know. */
import { listed, type Target, targets } from '../../schema/catalogue/catalogue.ts'
import * as datasetModules from '../data/datasets/index.ts'
import type { DenoiserDefinition } from '../engine/nn/denoiser.ts'
import * as denoiserModules from '../engine/nn/denoisers/index.ts'
import type { ModelDefinition } from '../engine/nn/model.ts'
import * as modelModules from '../engine/nn/models/index.ts'
import type { DatasetDefinition } from '../science/dataset.ts'
import type { MethodDefinition } from '../science/method.ts'
import * as methodModules from '../science/methods/index.ts'
import type { MetricDefinition } from '../science/metric.ts'
import * as metricModules from '../science/tasks/classification/metrics/index.ts'
import type { GenerationMetricDefinition } from '../science/tasks/generation/evidence.ts'
import * as generationMetricModules from '../science/tasks/generation/metrics/index.ts'
import { UsageError } from '../words/usage.ts'

type Catalogue<T> = ReadonlyMap<string, T>

export { benchmarks, suites, suiteWith } from '../../schema/catalogue/catalogue.ts'

export const methods: Catalogue<MethodDefinition> = new Map(Object.entries(methodModules))
export const datasets: Catalogue<DatasetDefinition> = new Map(Object.entries(datasetModules))
export const models: Catalogue<ModelDefinition> = new Map(Object.entries(modelModules))
export const denoisers: Catalogue<DenoiserDefinition> = new Map(Object.entries(denoiserModules))
export const metrics: Catalogue<MetricDefinition> = new Map(Object.entries(metricModules))
export const generationMetrics: Catalogue<GenerationMetricDefinition> = new Map(Object.entries(generationMetricModules))

/** The method that every score is compared with. */
export const REFERENCE = [...methods].find(([, { trainsOn }]) => trainsOn === 'retain')![0]

/** The member of that name; otherwise a UsageError that names the nearest one and all others, or those to be listed. */
export function lookUp<T>(
  kind: string,
  catalogue: Catalogue<T>,
  id: string,
  known: Iterable<string> = catalogue.keys(),
): T {
  const found = catalogue.get(id)
  if (found) return found
  throw new UsageError(`no ${kind} "${id}"${didYouMean(id, catalogue.keys())}; known: ${[...known].join(', ')}`)
}

/** A benchmark, or all of a suite. */
export const targetOf = (slug: string): Target => lookUp('benchmark or suite', targets, slug, listed)

/** `; did you mean "salun"?`, or nothing when no name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const [nearest] = [...known]
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, candidate.length / 3))
    .sort((a, b) => a.distance - b.distance)
  return nearest ? `; did you mean "${nearest.candidate}"?` : ''
}

/** Levenshtein's: insertions, deletions and replacements from a to b. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
