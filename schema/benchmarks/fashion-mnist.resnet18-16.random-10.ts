/** Full Fashion-MNIST on a narrow ResNet-18, for a CPU: an epoch takes about a minute on two processors. */
import { defineBenchmark } from '../benchmark.ts'
import { fashionMnistSmallCnnRandom10 as small } from './fashion-mnist.small-cnn.random-10.ts'

export const fashionMnistResnet1816Random10 = defineBenchmark({
  ...small,
  slug: 'fashion-mnist.resnet18-16.random-10',
  title: 'Fashion-MNIST, ResNet-18 of width 16, forget a random 10%',
  summary:
    'All 60,000 training and 10,000 test images of Fashion-MNIST. A random tenth of the training images is to be forgotten by a ResNet-18 with a quarter of the usual channels, after three epochs of training.',
  model: { id: 'resnet18', params: { width: 16 } },
  training: { ...small.training, epochs: 3 },
  // Rates of the SalUn paper, one epoch; not tuned.
  presets: {
    ft: { epochs: 1, batchSize: 128, learningRate: 0.01 },
    ga: { epochs: 1, batchSize: 128, learningRate: 0.0001 },
    rl: { epochs: 1, batchSize: 128, learningRate: 0.01 },
    salun: { epochs: 1, batchSize: 128, learningRate: 0.01, density: 0.5 },
  },
  seeds: [0, 1],
})
