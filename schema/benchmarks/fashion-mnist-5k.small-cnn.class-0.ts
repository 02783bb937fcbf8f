/** Class-wise forgetting at the scale of the quickstart. */
import { defineBenchmark } from '../benchmark.ts'

export const fashionMnist5kSmallCnnClass0 = defineBenchmark({
  slug: 'fashion-mnist-5k.small-cnn.class-0',
  title: 'Fashion-MNIST (5,000 images), small CNN, forget class 0',
  summary:
    'A fixed subset of 5,000 training and 2,000 test images of Fashion-MNIST. All 500 training images of class 0 (T-shirt/top) are to be forgotten, and its test images count neither for TA nor for MIA.',
  dataset: { id: 'fashion-mnist-5k' },
  model: { id: 'small-cnn' },
  request: { kind: 'class', label: 0 },
  training: {
    epochs: 15,
    batchSize: 64,
    learningRate: 0.05,
    schedule: { kind: 'cosine' },
    optimizer: { kind: 'sgd' },
    augment: false,
  },
  // Learning rates: seven tried for each method on pilot seed 1000, smallest Avg. Gap taken (scripts/tune.ts).
  presets: {
    ft: { epochs: 5, batchSize: 64, learningRate: 0.1 },
    ga: { epochs: 5, batchSize: 64, learningRate: 0.0003 },
    rl: { epochs: 5, batchSize: 64, learningRate: 0.005 },
    'l1-sparse': { epochs: 5, batchSize: 64, learningRate: 0.1 },
    salun: { epochs: 5, batchSize: 64, learningRate: 0.003 },
    'salun-soft': { epochs: 5, batchSize: 64, learningRate: 0.03 },
  },
  metrics: ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1'],
  seeds: [0, 1, 2],
})
