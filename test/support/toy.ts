/** A toy that methods finish in seconds: a very small network on the first images of the shipped Fashion-MNIST subset. */

import { fashionMnist5k } from '../../runner/data/datasets/fashion-mnist-5k.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { batchNorm, conv, linear } from '../../runner/engine/nn/layers.ts'
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { type Network, networkOf } from '../../runner/engine/nn/network.ts'
import type { Tensor } from '../../runner/engine/onnx/tensor.ts'
import { createTrainer, type TrainerOptions } from '../../runner/engine/training/trainer.ts'
import type { Split } from '../../runner/science/dataset.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'

const { normalization } = fashionMnist5k
const { train } = await fashionMnist5k.load({ directories: [], cache: '' })

/** The first `count` images. */
export const toySplit = (count: number): Split => ({
  images: train.images.subarray(0, count * 28 * 28),
  labels: train.labels.subarray(0, count),
  count,
})

export const toyNetwork = networkOf([1, 28, 28], 10, (scope, x) =>
  smallCnn.build(scope, x, { classes: 10, normalization }, { width: 2, hidden: 8 }),
)

/** So small that its programs are compiled at once: patches of 7x7, batch norm, a linear layer. */
export const tinyNetwork = networkOf([1, 28, 28], 10, (scope, x) => {
  const patches = batchNorm(scope, 'bn', conv(scope, 'conv', x, { out: 3, kernel: 7, stride: 7 }))
  return linear(scope, 'fc', scope.ops.Reshape(scope.ops.Relu(patches), [x.shape[0]!, 3 * 4 * 4]), 10)
})

export const toyTrainer = ({
  network = toyNetwork,
  augment = false,
  ...options
}: Partial<TrainerOptions<ClassifierTypes>> & { network?: Network; augment?: boolean } = {}) =>
  createTrainer({
    objective: classifierObjective({ network, train: toySplit(90), augment }),
    state: initialState(network, 0),
    seed: 0,
    purpose: 'test',
    threads: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...options,
  })

/** Integers from `first` up to, but not with, `end`. */
export const range = (first: number, end: number) => Int32Array.from({ length: end - first }, (_, i) => first + i)

/** Every number of a state by its bits. */
export const bytesOf = (state: ReadonlyMap<string, Tensor>) =>
  new Map([...state].map(([name, { data }]) => [name, [...new Uint32Array(data.buffer, data.byteOffset, data.length)]]))
