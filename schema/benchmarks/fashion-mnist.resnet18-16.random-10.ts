/** Full Fashion-MNIST on a narrow ResNet-18: a quarter of an hour a seed for a handful of methods on a CPU. */
import { defineBenchmark } from '../benchmark.ts'

export const fashionMnistResnet1816Random10 = defineBenchmark({
  slug: 'fashion-mnist.resnet18-16.random-10',
  title: 'Fashion-MNIST, ResNet-18 of width 16, forget a random 10%',
  summary:
    'All 60,000 training and 10,000 test images of Fashion-MNIST. A random tenth of the training images is to be forgotten by a ResNet-18 with a quarter of the usual channels, after three epochs of training.',
  dataset: { id: 'fashion-mnist' },
  model: { id: 'resnet18', params: { width: 16 } },
  request: { kind: 'random', fraction: 0.1 },
  training: {
    epochs: 3,
    batchSize: 128,
    learningRate: 0.1,
    schedule: { kind: 'cosine' },
    optimizer: { kind: 'sgd' },
    augment: false,
  },
  // Rates of the SalUn paper, one epoch; not tuned.
  presets: {
    ft: { epochs: 1, batchSize: 128, learningRate: 0.01 },
    ga: { epochs: 1, batchSize: 128, learningRate: 0.0001 },
    rl: { epochs: 1, batchSize: 128, learningRate: 0.01 },
    salun: { epochs: 1, batchSize: 128, learningRate: 0.01, density: 0.5 },
  },
  metrics: [
    'ua/accuracy@1',
    'ra/accuracy@1',
    'ta/accuracy@1',
    'mia/svc-confidence@1',
    'auc/confidence@1',
    'auc/entropy@1',
  ],
  seeds: [0, 1],
})
