/** The quickstart: real images, minutes on a CPU. */
import { defineBenchmark } from '../benchmark.ts'

export const fashionMnist5kSmallCnnRandom10 = defineBenchmark({
  slug: 'fashion-mnist-5k.small-cnn.random-10',
  title: 'Fashion-MNIST (5,000 images), small CNN, forget a random 10%',
  summary:
    'A fixed subset of 5,000 training and 2,000 test images of Fashion-MNIST. A random tenth of the training images is to be forgotten. Small enough for a CPU, so its numbers are not those of full Fashion-MNIST.',
  dataset: { id: 'fashion-mnist-5k' },
  model: { id: 'small-cnn' },
  request: { kind: 'random', fraction: 0.1 },
  training: {
    epochs: 15,
    batchSize: 64,
    learningRate: 0.05,
    schedule: { kind: 'cosine' },
    optimizer: { kind: 'sgd' },
    augment: false,
  },
  // Learning rates (β of NegGrad+, α of SSD): seven tried for each method on pilot seed 1000, smallest Avg. Gap taken
  presets: {
    ft: { epochs: 5, batchSize: 64, learningRate: 0.1 },
    ga: { epochs: 5, batchSize: 64, learningRate: 0.003 },
    rl: { epochs: 5, batchSize: 64, learningRate: 0.005 },
    'l1-sparse': { epochs: 5, batchSize: 64, learningRate: 0.1 },
    salun: { epochs: 5, batchSize: 64, learningRate: 0.007 },
    'salun-soft': { epochs: 5, batchSize: 64, learningRate: 0.005 },
    // Three or four choices were tried for each of these, on the same pilot seed.
    'fast-retrain': { epochs: 8, batchSize: 64, learningRate: 0.05 },
    'salun-noise': { epochs: 5, batchSize: 64, learningRate: 0.007 },
    amun: { epochs: 5, batchSize: 64, learningRate: 0.03, beside: 'retain', decayEvery: 5 },
    munba: { epochs: 5, batchSize: 64, learningRate: 0.1 },
    'sfr-on': { steps: 350, forgetEvery: 1, batchSize: 64, learningRate: 0.05 },
    // The accuracy is that of the original of the pilot seed on test images, since this benchmark holds no others out.
    lotus: { epochs: 5, batchSize: 64, learningRate: 0.001, unseen: 0.865 },
    delete: { epochs: 5, batchSize: 64, learningRate: 0.0001 },
    negmerge: { batchSize: 64, learningRates: [0.1, 0.03], scale: 5 },
    'neggrad-plus': { epochs: 5, batchSize: 64, learningRate: 0.1, beta: 0.9 },
    scrub: { epochs: 5, batchSize: 64, learningRate: 0.001 },
    ssd: { batchSize: 64, alpha: 2 },
    // Two or three choices were tried for each of these, on the same pilot seed.
    iu: { alpha: 20 },
    fisher: { variant: 'expected', batchSize: 64, alpha: 1e-5 },
    'boundary-shrink': { epochs: 5, batchSize: 64, learningRate: 0.0001 },
    'boundary-expand': { epochs: 5, batchSize: 64, learningRate: 0.0001 },
    'bad-teaching': { epochs: 3, batchSize: 64, learningRate: 0.001 },
    amnesiac: { batchSize: 64, learningRate: 0.0005 },
    'cf-k': { epochs: 5, batchSize: 64, learningRate: 0.1, layers: 3 },
    'eu-k': { epochs: 15, batchSize: 64, learningRate: 0.05, layers: 2 },
    scissorhands: { epochs: 5, batchSize: 64, learningRate: 0.05, sparsity: 0.95 },
    msg: { learningRate: 0.05, freshShare: 0.5 },
    ct: { learningRate: 0.03 },
  },
  metrics: [
    'ua/accuracy@1',
    'ra/accuracy@1',
    'ta/accuracy@1',
    'mia/svc-confidence@1',
    'auc/confidence@1',
    'auc/entropy@1',
  ],
  seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
})
