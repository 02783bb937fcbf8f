/** A benchmark of the third task. */
import { type Benchmark, defineBenchmark } from '../../../schema/benchmark.ts'

/** To be called when the task is known. */
export const lineBenchmark = (): Benchmark =>
  defineBenchmark({
    slug: 'points.line.random-25',
    title: 'Points, a line, forget a random 25%',
    summary: 'A line through forty points forgets ten of them.',
    dataset: { id: 'points' },
    model: { id: 'line' },
    request: { kind: 'random', fraction: 0.25 },
    training: {
      epochs: 2000,
      batchSize: 40,
      learningRate: 0.5,
      optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 0 },
      augment: false,
    },
    task: { id: 'regression' },
    metrics: ['forget-error/mean@1', 'retain-error/mean@1'],
    seeds: [0],
  })
