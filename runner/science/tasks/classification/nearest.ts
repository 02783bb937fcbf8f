/** The images that a classifier takes for nearest to some: by the cosine distance of their features before the last layer. */
import { heaviest } from '../../capped-simplex.ts'
import type { ForgetSets } from '../../forget-set.ts'
import type { ClassifierTypes } from './vocabulary.ts'

/** The given images among them, and of equally near ones those that come first. */
export const nearest: ForgetSets<ClassifierTypes>['nearest'] = async ({ trainer, items, count, batchSize }, to) => {
  const features = await trainer.evaluate({ items, batchSize }, ({ featuresOf }) => featuresOf({}))
  const rows = to.map((position) => items.indexOf(position))
  const distances = distancesTo(features, rows, items.length)
  const nearness = distances.map((distance, row) => (rows.includes(row) ? 1 : -distance))
  const furthest = distances.slice().sort()[count - 1]!
  return { list: heaviest(items, nearness, count), words: `cosine distance up to ${furthest.toPrecision(4)}` }
}

/** Of each row of features to the nearest of some rows: 0 for these themselves, 1 from a row of zeros to any other. */
export function distancesTo(features: Float32Array, to: readonly number[], count: number): Float64Array {
  const dimension = features.length / count
  const rowOf = (row: number) => Float64Array.from(features.subarray(row * dimension, (row + 1) * dimension))
  const unit = (row: number) => {
    const own = rowOf(row)
    const norm = Math.hypot(...own)
    return norm === 0 ? own : own.map((value) => value / norm)
  }
  const centres = to.map(unit)
  const distances = Float64Array.from({ length: count }, (_, row) => {
    const own = unit(row)
    const cosines = centres.map((centre) => centre.reduce((sum, value, i) => sum + value * own[i]!, 0))
    return Math.max(0, 1 - Math.max(...cosines))
  })
  for (const row of to) distances[row] = 0
  return distances
}
