/** Methods of classification on a small network whose weights and images PyTorch knows as well (test/golden/methods/make.py). */
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { floats, numbersOf, sizeOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { createTrainer } from '../../runner/engine/training/trainer.ts'
import type {
  AdamOptions,
  MethodDefinition,
  Optimizer,
  RandomStream,
  SgdOptions,
  Trainer,
} from '../../runner/science/method.ts'
import * as methods from '../../runner/science/methods/index.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { flatten } from '../../runner/science/weights.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { uniforms } from '../onnxruntime/uniform.ts'
import { range } from './toy.ts'

// As in make.py and baselines.py.
const [IMAGES, LABELS, FIRST_TENSOR, FIRST_FRESH, UNIFORM, NORMAL] = [1, 2, 10, 40, 60, 61]
const [COUNT, CLASSES] = [20, 3]
const images = Uint8Array.from(uniforms(IMAGES, COUNT * 8 * 8, 0, 256))
const labels = Uint8Array.from(uniforms(LABELS, COUNT, 0, CLASSES))
const built = networkOf([1, 8, 8], CLASSES, (scope, x) =>
  smallCnn.build(scope, x, { classes: CLASSES, normalization: { mean: [0.5], std: [0.25] } }, { width: 2, hidden: 4 }),
)
const valuesOf = ({ name, shape }: { name: string; shape: readonly number[] }, stream: number) => {
  const positive = name.endsWith('running_var') || /^bn.*weight$/.test(name)
  const [low, high] = positive ? [0.5, 1.5] : name.endsWith('running_mean') ? [-0.3, 0.3] : [-0.6, 0.6]
  return uniforms(stream, sizeOf(shape), low, high)
}
/** A fresh model is another of the same rule. */
const begun = [...built.parameters, ...built.buffers].map((variable, i) => ({
  ...variable,
  init: () => valuesOf(variable, FIRST_FRESH + i),
}))
const parameters = begun.slice(0, built.parameters.length)
const network = { ...built, parameters, buffers: begun.slice(parameters.length) }
/** In the order of a golden state. */
export const goldenVariables = [...network.parameters, ...network.buffers]
export const goldenParameters = network.parameters

const original = new Map(
  goldenVariables.map((variable, i): [string, Tensor] => [
    variable.name,
    floats(variable.shape, valuesOf(variable, FIRST_TENSOR + i)),
  ]),
)
export const goldenStart = goldenVariables.flatMap(({ name }) => numbersOf(original.get(name)!))

export interface Followed {
  /** Loss and state after each run of an optimizer. */
  trace: { loss: number; state: number[] }[]
  /** The importances that it asked for. */
  importances: number[][]
  state: number[]
}

/** |found − expected| / |expected| of the variable that is worst, of those that there are. */
export function furthest(found: readonly number[], expected: readonly number[], over = goldenVariables): number {
  if (found.length !== expected.length) throw new Error(`expected ${expected.length} numbers, got ${found.length}`)
  let offset = 0
  const errors = over.map(({ shape }) => {
    const part = expected.slice(offset, offset + sizeOf(shape))
    const difference = part.map((value, i) => found[offset + i]! - value)
    offset += part.length
    return Math.hypot(...difference) / Math.hypot(...part)
  })
  return Math.max(...errors)
}

/** What is forgotten and kept: positions of images, and the class where it is one. */
export interface Split {
  forgotten: number | null
  forget: number[]
  retain: number[]
}

const splitAt = (first: number): Split => ({
  forgotten: null,
  forget: [...range(0, first)],
  retain: [...range(first, COUNT)],
})
/** The first half of the images is forgotten. */
export const halves = splitAt(COUNT / 2)
/** Images 0 to 7 are forgotten. */
export const eight = splitAt(8)

/** Draws that PyTorch's side makes as well; what is shuffled stays as it is. */
function knownDraws(): RandomStream {
  const after = (values: Float32Array) => {
    let at = 0
    return () => values[at++]!
  }
  const [uniform, normal] = [after(uniforms(UNIFORM, 4096)), after(uniforms(NORMAL, 4096, -2, 2))]
  return { uniform, normal, integer: (bound) => Math.floor(uniform() * bound), shuffle: (items) => items.slice() }
}

/** Runs a method on a split; `known` makes its draws the known ones. */
export async function followClassifier(
  id: string,
  params: Record<string, unknown>,
  { split = halves, known = false }: { split?: Split; known?: boolean } = {},
): Promise<Followed> {
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
  const importances: number[][] = []
  const watching: Trainer<ClassifierTypes> = {
    ...trainer,
    async importance(...asked) {
      const found = await trainer.importance(...asked)
      importances.push([...flatten(found)])
      return found
    },
    sgd: (options: SgdOptions) => watched(trainer.sgd(options)),
    adam: (options: AdamOptions) => watched(trainer.adam(options)),
  }
  const { params: schema, run } = (methods as Record<string, MethodDefinition>)[id]!.on.classification!
  try {
    await run({
      params: schema.parse(params),
      trainer: watching,
      verbs: { imageShape: [1, 8, 8] },
      ...{
        forget: Int32Array.from(split.forget),
        retain: Int32Array.from(split.retain),
        forgotten: split.forgotten === null ? [] : [split.forgotten],
      },
      ...{ labels, classes: CLASSES, random: known ? knownDraws() : randomStream(0, 'test') },
    })
    return { trace, importances, state: state() }
  } finally {
    await trainer.release()
  }
}
