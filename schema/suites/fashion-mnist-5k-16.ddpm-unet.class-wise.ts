/** Forgetting in image generation, at a size for a CPU: real images, averaged down. */
import { pictured } from '../classes.ts'
import { defineClassWise } from '../suite.ts'

export const fashionMnist5k16DdpmUnetClassWise = defineClassWise({
  family: 'fashion-mnist-5k-16.ddpm-unet',
  title: 'Fashion-MNIST at 16x16 (5,000 images), small diffusion model',
  summary: (forgotten) =>
    `A class-conditional diffusion model of 305,057 parameters draws the ten classes of a fixed subset of 5,000 training images of Fashion-MNIST, averaged down from 28x28 to 16x16 pixels. To be forgotten: ${forgotten}. Small enough for a CPU, so its numbers are not those of full Fashion-MNIST, and its Fréchet distance is that of a small classifier, not FID.`,
  classes: pictured['fashion-mnist-5k-16'].classes,
  dataset: { id: 'fashion-mnist-5k-16' },
  model: {
    id: 'ddpm-unet',
    params: { channels: 16, multipliers: [1, 2, 2], blocks: 1, attention: [8], groups: 8, dropout: 0 },
  },
  training: {
    epochs: 10,
    batchSize: 64,
    learningRate: 0.002,
    schedule: { kind: 'cosine' },
    warmUpEpochs: 0.5,
    optimizer: { kind: 'adam' },
    clipNorm: 1,
    augment: false,
  },
  task: {
    id: 'generation',
    denoising: { diffusion: {} },
    sampling: { sampler: { kind: 'ddim', steps: 25, eta: 0 }, guidance: 2, clip: true, perClass: 50 },
    judge: {
      model: { id: 'small-cnn', params: { width: 16, hidden: 64 } },
      training: {
        epochs: 15,
        batchSize: 64,
        learningRate: 0.05,
        schedule: { kind: 'cosine' },
        optimizer: { kind: 'sgd' },
        augment: false,
      },
      seed: 0,
    },
    extractor: 'judge',
  },
  // One learning rate for all and steps that a CPU affords, too few for averages of the weights; not tuned. SalUn's alpha of 0.001 belongs to the 3,072 values of a
  // CIFAR-10 image: beside a mean over 256 values the same weight is 0.012.
  presets: {
    ft: { steps: 100, batchSize: 64, learningRate: 0.0005 },
    ga: { steps: 50, batchSize: 64, learningRate: 0.0005 },
    rl: { steps: 100, batchSize: 64, learningRate: 0.0005, alpha: 0.012 },
    salun: { steps: 100, batchSize: 64, learningRate: 0.0005, alpha: 0.012 },
    esd: { steps: 60, batchSize: 32, learningRate: 0.0005, latentSteps: 20 },
    'selective-amnesia': {
      ...{ steps: 100, batchSize: 64, learningRate: 0.0005 },
      ...{ perClass: 20, fisherPerClass: 1, sampleSteps: 25, average: null },
    },
    erasediff: { steps: 100, batchSize: 64, learningRate: 0.0005, average: null },
  },
  metrics: ['ua/judge@1', 'ra/judge@1', 'classifier-fd/small-cnn-features@1', 'classifier-kd/small-cnn-features@1'],
  seeds: [0],
})
