/** Benchmarks in words. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { plural } from './numbers.ts'

export function requestWords({ request }: Benchmark): string {
  if (request.kind === 'class') return `class ${request.label} of D is to be forgotten`
  return `a random ${Number((request.fraction * 100).toPrecision(6))}% of D is to be forgotten`
}

export function recipeWords({ training }: Benchmark): string {
  const { epochs, batchSize, learningRate, optimizer, augment } = training
  return `${plural(epochs, 'epoch')} of ${optimizer.kind.toUpperCase()}, batch ${batchSize}, learning rate ${learningRate}${augment ? ', augmented' : ''}`
}
