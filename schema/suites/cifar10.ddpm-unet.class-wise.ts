/** Class-wise forgetting by a diffusion model on CIFAR-10 as SalUn's code has it; for a GPU. */
import { pictured } from '../classes.ts'
import { defineClassWise } from '../suite.ts'

export const cifar10DdpmUnetClassWise = defineClassWise({
  family: 'cifar10.ddpm-unet',
  title: 'CIFAR-10, conditional DDPM',
  summary: (forgotten) =>
    `The setting of the SalUn paper's experiments with DDPM: a conditional U-Net of 38,632,323 parameters draws CIFAR-10, and must forget ${forgotten}. 800,000 steps of training, 1,000 sampling steps and 5,000 images a class: this needs a GPU for days.`,
  classes: pictured.cifar10.classes,
  dataset: { id: 'cifar10' },
  model: { id: 'ddpm-unet' },
  training: {
    // 2,046 epochs of 391 batches: 799,986 steps.
    epochs: 2046,
    batchSize: 128,
    learningRate: 0.0002,
    optimizer: { kind: 'adam' },
    clipNorm: 1,
    augment: true,
  },
  task: {
    id: 'generation',
    denoising: { diffusion: {}, dropCondition: 0.1, average: 0.9999 },
    sampling: { sampler: { kind: 'ddim', steps: 1000, eta: 1 }, guidance: 2, perClass: 5000 },
    judge: {
      // The paper's judge is an ImageNet ResNet-34, fine-tuned; this one is trained on CIFAR-10 alone.
      model: { id: 'resnet18' },
      training: {
        epochs: 182,
        batchSize: 256,
        learningRate: 0.1,
        schedule: { kind: 'step', milestones: [91, 136], factor: 0.1 },
        optimizer: { kind: 'sgd' },
        augment: true,
      },
      seed: 0,
    },
    extractor: 'inception-v3-pool3',
  },
  metrics: [
    'ua/judge@1',
    'ra/judge@1',
    'fid/inception-v3-pool3@1',
    'kid/inception-v3-pool3@1',
    'is/inception-v3-pool3@1',
    'precision/inception-v3-pool3@1',
    'recall/inception-v3-pool3@1',
  ],
  seeds: [0],
  // Not measured: an estimate of what activations and weights of batch 128 take.
  requires: { provider: 'cuda', gpuMemoryBytes: 16 * 2 ** 30 },
})
