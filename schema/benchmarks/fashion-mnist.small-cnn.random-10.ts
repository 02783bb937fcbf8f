/** Full Fashion-MNIST on a small network: about twenty minutes a seed on two CPU cores for all methods. */
import { defineBenchmark } from '../benchmark.ts'

export const fashionMnistSmallCnnRandom10 = defineBenchmark({
  slug: 'fashion-mnist.small-cnn.random-10',
  title: 'Fashion-MNIST, small CNN, forget a random 10%',
  summary:
    'All 60,000 training and 10,000 test images of Fashion-MNIST. A random tenth of the training images is to be forgotten.',
  dataset: { id: 'fashion-mnist' },
  model: { id: 'small-cnn', params: { width: 16, hidden: 128 } },
  request: { kind: 'random', fraction: 0.1 },
  training: {
    epochs: 20,
    batchSize: 128,
    learningRate: 0.1,
    schedule: { kind: 'cosine' },
    optimizer: { kind: 'sgd' },
    augment: false,
  },
  presets: {
    ft: { epochs: 5, batchSize: 128 },
    ga: { epochs: 5, batchSize: 128 },
    rl: { epochs: 5, batchSize: 128 },
    'l1-sparse': { epochs: 5, batchSize: 128 },
    salun: { epochs: 5, batchSize: 128 },
    'salun-soft': { epochs: 5, batchSize: 128 },
  },
  metrics: ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1'],
  seeds: [0, 1, 2],
})
