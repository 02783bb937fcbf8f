/** Methods of classification on a small network whose weights and images PyTorch knows as well (test/golden/methods/make.py). */
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { floats, numbersOf, sizeOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { createTrainer } from '../../runner/engine/training/trainer.ts'
import type { AdamOptions, MethodDefinition, Optimizer, SgdOptions, Trainer } from '../../runner/science/method.ts'
import * as methods from '../../runner/science/methods/index.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { uniforms } from '../onnxruntime/uniform.ts'
import { range } from './toy.ts'

// As in make.py.
const [IMAGES, LABELS, FIRST_TENSOR] = [1, 2, 10]
const [COUNT, CLASSES] = [20, 3]
const images = Uint8Array.from(uniforms(IMAGES, COUNT * 8 * 8, 0, 256))
const labels = Uint8Array.from(uniforms(LABELS, COUNT, 0, CLASSES))
const network = networkOf([1, 8, 8], CLASSES, (scope, x) =>
  smallCnn.build(scope, x, { classes: CLASSES, normalization: { mean: [0.5], std: [0.25] } }, { width: 2, hidden: 4 }),
)
/** In the order of a golden state. */
export const goldenVariables = [...network.parameters, ...network.buffers]

const original = new Map(
  goldenVariables.map(({ name, shape }, i): [string, Tensor] => {
    const positive = name.endsWith('running_var') || /^bn.*weight$/.test(name)
    const [low, high] = positive ? [0.5, 1.5] : name.endsWith('running_mean') ? [-0.3, 0.3] : [-0.6, 0.6]
    return [name, floats(shape, uniforms(FIRST_TENSOR + i, sizeOf(shape), low, high))]
  }),
)
export const goldenStart = goldenVariables.flatMap(({ name }) => numbersOf(original.get(name)!))

export interface Followed {
  /** Loss and state after each run of an optimizer. */
  trace: { loss: number; state: number[] }[]
  state: number[]
}

/** Runs a method that forgets the first half of the images. */
export async function followClassifier(id: string, params: Record<string, unknown>): Promise<Followed> {
  const trainer = createTrainer<ClassifierTypes>({
    objective: classifierObjective({ network, train: { images, labels, count: COUNT }, augment: false }),
    state: original,
    seed: 0,
    purpose: 'test',
    threads: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  })
  const state = () => goldenVariables.flatMap(({ name }) => numbersOf(trainer.state().get(name)!))
  const trace: Followed['trace'] = []
  const watched = (optimizer: Optimizer<ClassifierTypes>): Optimizer<ClassifierTypes> => ({
    ...optimizer,
    async descend(terms, span) {
      const loss = await optimizer.descend(terms, span)
      trace.push({ loss, state: state() })
      return loss
    },
  })
  const watching: Trainer<ClassifierTypes> = {
    ...trainer,
    sgd: (options: SgdOptions) => watched(trainer.sgd(options)),
    adam: (options: AdamOptions) => watched(trainer.adam(options)),
  }
  const { params: schema, run } = (methods as Record<string, MethodDefinition>)[id]!.on.classification!
  try {
    await run({
      params: schema.parse(params),
      trainer: watching,
      verbs: { imageShape: [1, 8, 8] },
      ...{ forget: range(0, COUNT / 2), retain: range(COUNT / 2, COUNT), forgotten: null },
      ...{ labels, classes: CLASSES, random: randomStream(0, 'test') },
    })
    return { trace, state: state() }
  } finally {
    await trainer.release()
  }
}
