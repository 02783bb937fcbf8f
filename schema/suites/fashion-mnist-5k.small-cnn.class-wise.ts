/** Class-wise forgetting at the scale of the quickstart, with its data, model and training. */
import { fashionMnist5kSmallCnnRandom10 } from '../benchmarks/fashion-mnist-5k.small-cnn.random-10.ts'
import { pictured } from '../classes.ts'
import { defineClassWise } from '../suite.ts'

export const fashionMnist5kSmallCnnClassWise = defineClassWise({
  ...fashionMnist5kSmallCnnRandom10,
  family: 'fashion-mnist-5k.small-cnn',
  title: 'Fashion-MNIST (5,000 images), small CNN',
  summary: (forgotten) =>
    `A fixed subset of 5,000 training and 2,000 test images of Fashion-MNIST. All 500 training images of ${forgotten} are to be forgotten, and its test images count neither for TA nor for MIA.`,
  classes: pictured['fashion-mnist-5k'].classes,
  // Three seeds of ten classes are thirty runs a method.
  seeds: [0, 1, 2],
  // Learning rates: seven tried for each method on class 0 and pilot seed 1000, smallest Avg. Gap taken.
  presets: {
    ft: { epochs: 5, batchSize: 64, learningRate: 0.1 },
    ga: { epochs: 5, batchSize: 64, learningRate: 0.0003 },
    rl: { epochs: 5, batchSize: 64, learningRate: 0.005 },
    'l1-sparse': { epochs: 5, batchSize: 64, learningRate: 0.1 },
    salun: { epochs: 5, batchSize: 64, learningRate: 0.003 },
    'salun-soft': { epochs: 5, batchSize: 64, learningRate: 0.03 },
    // Not tuned yet.
    iu: { alpha: 5 },
    'boundary-shrink': { epochs: 5, batchSize: 64, learningRate: 0.0001 },
    'boundary-expand': { epochs: 5, batchSize: 64, learningRate: 0.0001 },
    'bad-teaching': { batchSize: 64 },
    amnesiac: { batchSize: 64 },
    'cf-k': { epochs: 5, batchSize: 64, learningRate: 0.1 },
    'eu-k': { epochs: 15, batchSize: 64, learningRate: 0.05 },
    scissorhands: { epochs: 5, batchSize: 64, learningRate: 0.03 },
    msg: { learningRate: 0.03 },
    ct: { learningRate: 0.03 },
    unsir: { batchSize: 64, noiseImages: 64, impairRate: 0.002, repairRate: 0.001, repairPasses: 2 },
  },
})
