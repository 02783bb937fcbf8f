/** The setting of SalUn's Table 1 at 10%: CIFAR-10, ResNet-18, a random tenth of the 45,000 training images. */
import { defineBenchmark } from '../benchmark.ts'

export const cifar10Resnet18Random10 = defineBenchmark({
  slug: 'cifar10.resnet18.random-10',
  title: 'CIFAR-10, ResNet-18, forget a random 10%',
  summary:
    'The setting of Table 1 of the SalUn paper: a tenth of each class is held out, and a random tenth of the remaining 45,000 training images is to be forgotten.',
  dataset: { id: 'cifar10' },
  model: { id: 'resnet18' },
  request: { kind: 'random', fraction: 0.1 },
  training: {
    epochs: 182,
    batchSize: 256,
    learningRate: 0.1,
    schedule: { kind: 'step', milestones: [91, 136], factor: 0.1 },
    optimizer: { kind: 'sgd' },
    augment: true,
    holdOut: 0.1,
  },
  presets: {
    ga: { epochs: 5, learningRate: 0.0001 },
    salun: { learningRate: 0.013 },
    // What the scripts of Scissorhands give these.
    iu: { alpha: 10 },
    'boundary-shrink': { learningRate: 0.000001 },
    'boundary-expand': { learningRate: 0.000001 },
    // As long as the training of the original.
    'eu-k': { epochs: 182 },
  },
  metrics: [
    'ua/accuracy@1',
    'ra/accuracy@1',
    'ta/accuracy@1',
    'mia/svc-confidence@1',
    'auc/confidence@1',
    'auc/entropy@1',
  ],
  seeds: [0, 1, 2],
})
