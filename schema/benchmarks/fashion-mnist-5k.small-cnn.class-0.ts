/** Class-wise forgetting at the scale of the quickstart, with its data, model and training. */
import { defineBenchmark } from '../benchmark.ts'
import { fashionMnist5kSmallCnnRandom10 } from './fashion-mnist-5k.small-cnn.random-10.ts'

export const fashionMnist5kSmallCnnClass0 = defineBenchmark({
  ...fashionMnist5kSmallCnnRandom10,
  slug: 'fashion-mnist-5k.small-cnn.class-0',
  title: 'Fashion-MNIST (5,000 images), small CNN, forget class 0',
  summary:
    'A fixed subset of 5,000 training and 2,000 test images of Fashion-MNIST. All 500 training images of class 0 (T-shirt/top) are to be forgotten, and its test images count neither for TA nor for MIA.',
  request: { kind: 'class', label: 0 },
  // Learning rates: seven tried for each method on pilot seed 1000, smallest Avg. Gap taken (scripts/tune.ts).
  presets: {
    ft: { epochs: 5, batchSize: 64, learningRate: 0.1 },
    ga: { epochs: 5, batchSize: 64, learningRate: 0.0003 },
    rl: { epochs: 5, batchSize: 64, learningRate: 0.005 },
    'l1-sparse': { epochs: 5, batchSize: 64, learningRate: 0.1 },
    salun: { epochs: 5, batchSize: 64, learningRate: 0.003 },
    'salun-soft': { epochs: 5, batchSize: 64, learningRate: 0.03 },
  },
})
