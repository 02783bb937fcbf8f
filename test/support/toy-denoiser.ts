/** A toy diffusion model that methods unlearn in seconds: 8x8 images of three classes, a U-Net of 7,000 parameters. */

import { type DenoiserNetwork, denoiserNetworkOf } from '../../runner/engine/nn/denoiser-network.ts'
import { ddpmUnet } from '../../runner/engine/nn/denoisers/ddpm-unet.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { dropout, linear, normalInit, swish, timeEmbedding } from '../../runner/engine/nn/layers.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import type { Tensor } from '../../runner/engine/onnx/tensor.ts'
import { createTrainer, type StageTrainer, type TrainerOptions } from '../../runner/engine/training/trainer.ts'
import type { Split } from '../../runner/science/dataset.ts'
import type { DiffusionTypes } from '../../runner/science/tasks/generation/vocabulary.ts'
import { diffusionObjective } from '../../runner/tasks/generation/objective.ts'
import { verbsOf } from '../../runner/tasks/generation/task.ts'
import { diffusion } from '../../schema/parts/diffusion.ts'

export const TOY_CLASSES = 3
const SIDE = 8

/** Class 0 is bright at the top, class 1 at the bottom, class 2 on the left. Image i has class i mod 3. */
export function toyImages(count: number): Split {
  const random = randomStream(0, 'toy images')
  const labels = Uint8Array.from({ length: count }, (_, i) => i % TOY_CLASSES)
  const images = new Uint8Array(count * SIDE * SIDE)
  for (let i = 0; i < count; i++) {
    for (let at = 0; at < SIDE * SIDE; at++) {
      const [row, column] = [Math.floor(at / SIDE), at % SIDE]
      const bright = [row < 4, row >= 4, column < 4][labels[i]!]
      images[i * SIDE * SIDE + at] = (bright ? 200 : 20) + random.integer(30)
    }
  }
  return { images, labels, count }
}

const params = ddpmUnet.params.parse({
  channels: 4,
  multipliers: [1, 2],
  blocks: 1,
  attention: [4],
  groups: 2,
  dropout: 0.1,
})
export const toyDenoiser = denoiserNetworkOf([1, SIDE, SIDE], TOY_CLASSES, (scope, inputs) =>
  ddpmUnet.build(scope, inputs, { classes: TOY_CLASSES }, params),
)

/** So small that its programs are compiled at once: a hidden layer with dropout, moved by the timestep and the class. */
export const tinyDenoiser = denoiserNetworkOf([1, SIDE, SIDE], TOY_CLASSES, (scope, { x, t, labels }) => {
  const { ops } = scope
  const pixels = linear(scope, 'in', ops.Reshape(x, [x.shape[0]!, SIDE * SIDE]), 4)
  const time = linear(scope, 'time', timeEmbedding(scope, t, 4), 4)
  const table = scope.parameter('class.table', [TOY_CLASSES + 1, 4], normalInit)
  const kind = ops.MatMul(ops.OneHot(labels, TOY_CLASSES + 1), table)
  const hidden = dropout(scope, swish(scope, ops.Add(pixels, ops.Mul(time, kind))), 0.1)
  return ops.Reshape(linear(scope, 'out', hidden, SIDE * SIDE), x.shape)
})

const train = toyImages(90)
export const toyLabels = train.labels
export const toyForget = Int32Array.from(train.labels.keys()).filter((item) => train.labels[item] === 0)
export const toyRetain = Int32Array.from(train.labels.keys()).filter((item) => train.labels[item] !== 0)

export const toyDiffusion = diffusion.parse({
  timesteps: 100,
  schedule: { kind: 'linear', first: 1e-3, last: 0.2 },
})

export const toyDenoiserTrainer = ({
  denoiser = toyDenoiser,
  weights = initialState(denoiser, 0),
  ...options
}: Partial<TrainerOptions<DiffusionTypes>> & {
  denoiser?: DenoiserNetwork
  weights?: ReadonlyMap<string, Tensor>
} = {}) => {
  const { seed = 0, purpose = 'test', onProgress = () => {} } = options
  const trainer: StageTrainer<DiffusionTypes> = createTrainer({
    objective: diffusionObjective({
      denoiser,
      diffusion: toyDiffusion,
      train,
      seed,
      flip: false,
      executor: () => trainer.executor,
    }),
    state: weights,
    threads: 1,
    signal: new AbortController().signal,
    ...{ seed, purpose, onProgress },
    ...options,
  })
  const { conditions } = ddpmUnet
  const verbs = verbsOf(trainer, {
    ...{ denoiser, diffusion: toyDiffusion, conditions, seed, purpose, onProgress },
  })
  return { ...trainer, verbs }
}
