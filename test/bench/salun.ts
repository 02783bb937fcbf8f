/** The engine's side of bench:gpu: SalUn on ResNet-18 over made-up images. Its argument is the same JSON as that of
 *  test/golden/bench/salun.py, and it prints the same line. */

import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { resnet18 } from '../../runner/engine/nn/models/resnet18.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { onnxruntimeVersion } from '../../runner/engine/onnx/session.ts'
import { createTrainer } from '../../runner/engine/training/trainer.ts'
import { deviceOf } from '../../runner/machine/device.ts'
import { randomLabels, relabelPass } from '../../runner/science/methods/parts/relabel.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import type { SalunSpec } from './gpu.ts'

const {
  images,
  forget,
  epochs,
  batch,
  width,
  threads,
  seed,
  device: provider,
} = JSON.parse(process.argv[2]!) as SalunSpec
const CLASSES = 10
const shape = [3, 32, 32]
const random = randomStream(seed, 'bench')
const pixels = Uint8Array.from({ length: images * 3 * 32 * 32 }, () => random.integer(256))
const labels = Uint8Array.from({ length: images }, () => random.integer(CLASSES))
const network = networkOf(shape, CLASSES, (scope, x) =>
  resnet18.build(
    scope,
    x,
    { classes: CLASSES, normalization: { mean: [0], std: [1] } },
    resnet18.params.parse({ width }),
  ),
)
const trainer = createTrainer({
  objective: classifierObjective({ network, train: { images: pixels, labels, count: images }, augment: false }),
  state: initialState(network, seed),
  seed,
  purpose: 'unlearn',
  threads,
  provider,
  signal: new AbortController().signal,
  onProgress: () => {},
})
const items = Int32Array.from({ length: images }, (_, i) => i)
const context = {
  params: randomLabels.parse({ learningRate: 0.013, batchSize: batch }),
  trainer,
  verbs: { imageShape: shape },
  forgotten: [],
  forget: items.subarray(0, forget),
  retain: items.subarray(forget),
  labels,
  classes: CLASSES,
  random,
}

let began = performance.now()
const seconds = () => {
  const passed = (performance.now() - began) / 1000
  began = performance.now()
  return passed
}
const mask = await trainer.mask({
  kind: 'saliency',
  density: 0.5,
  of: fitLabels(context.forget, { batchSize: batch }),
})
const maskSeconds = seconds()
const optimizer = trainer.sgd({ ...context.params, mask, freeze: 'hard' })
const passed: number[] = []
for (let epoch = 0; epoch < epochs; epoch++) {
  await relabelPass(context, optimizer)
  passed.push(seconds())
}
console.log(
  JSON.stringify({
    runtime: `onnxruntime ${onnxruntimeVersion()}`,
    device: (await deviceOf({ threads, provider })).deviceClass,
    mask: maskSeconds,
    epochs: passed,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  }),
)
await trainer.release()
