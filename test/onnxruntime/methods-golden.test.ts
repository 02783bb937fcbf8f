/** Methods take the steps that PyTorch takes (test/golden/methods/make.py). */
import { expect, test } from 'vitest'
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { floats, numbersOf, sizeOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { createTrainer } from '../../runner/engine/training/trainer.ts'
import type { MethodDefinition, SgdOptions, Trainer } from '../../runner/science/method.ts'
import * as methods from '../../runner/science/methods/index.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { flatten } from '../../runner/science/weights.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { goldenJson } from '../runner/golden.ts'
import { range } from '../support/toy.ts'
import { uniforms } from './uniform.ts'

// As in make.py.
const [IMAGES, LABELS, FIRST_TENSOR] = [1, 2, 10]
const [COUNT, CLASSES] = [20, 3]
const images = Uint8Array.from(uniforms(IMAGES, COUNT * 8 * 8, 0, 256))
const labels = Uint8Array.from(uniforms(LABELS, COUNT, 0, CLASSES))
const [forget, retain] = [range(0, 8), range(8, COUNT)]
const network = networkOf([1, 8, 8], CLASSES, (scope, x) =>
  smallCnn.build(scope, x, { classes: CLASSES, normalization: { mean: [0.5], std: [0.25] } }, { width: 2, hidden: 4 }),
)
const variables = [...network.parameters, ...network.buffers]

const original = new Map(
  variables.map(({ name, shape }, i): [string, Tensor] => {
    const positive = name.endsWith('running_var') || /^bn.*weight$/.test(name)
    const [low, high] = positive ? [0.5, 1.5] : name.endsWith('running_mean') ? [-0.3, 0.3] : [-0.6, 0.6]
    return [name, floats(shape, uniforms(FIRST_TENSOR + i, sizeOf(shape), low, high))]
  }),
)

interface Case {
  params: Record<string, unknown>
  trace?: { loss: number; state: number[] }[]
  importances?: number[][]
  state?: number[]
}

/** The trainer, and what a method makes of it: loss and state after each run of an optimizer, and the importances it asks for. */
function watched() {
  const trainer = createTrainer<ClassifierTypes>({
    objective: classifierObjective({ network, train: { images, labels, count: COUNT }, augment: false }),
    state: original,
    seed: 0,
    purpose: 'test',
    threads: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  })
  const state = () => variables.flatMap(({ name }) => numbersOf(trainer.state().get(name)!))
  const trace: NonNullable<Case['trace']> = []
  const importances: number[][] = []
  const watching: Trainer<ClassifierTypes> = {
    ...trainer,
    sgd(options: SgdOptions) {
      const optimizer = trainer.sgd(options)
      return {
        ...optimizer,
        async descend(terms, span) {
          const loss = await optimizer.descend(terms, span)
          trace.push({ loss, state: state() })
          return loss
        },
      }
    },
    async importance(term) {
      const found = await trainer.importance(term)
      importances.push([...flatten(found)])
      return found
    },
  }
  return { trainer: watching, state, trace, importances }
}

async function follow(id: string, params: Case['params']) {
  const { on } = (methods as Record<string, MethodDefinition>)[id]!
  const { params: schema, run } = on.classification!
  const seen = watched()
  const { trainer } = seen
  const random = randomStream(0, 'test')
  const task = {
    forget,
    retain,
    forgotten: null,
    labels,
    classes: CLASSES,
    random,
    verbs: { imageShape: network.inputShape },
  }
  await run({ params: schema.parse(params), trainer, ...task })
  return seen
}

/** |found − expected| / |expected| for each variable. */
function errors(found: readonly number[], expected: readonly number[], over: readonly { shape: readonly number[] }[]) {
  expect(found.length).toBe(expected.length)
  let offset = 0
  return over.map(({ shape }) => {
    const part = expected.slice(offset, offset + sizeOf(shape))
    const difference = part.map((value, i) => found[offset + i]! - value)
    offset += part.length
    return Math.hypot(...difference) / Math.hypot(...part)
  })
}
const start = variables.flatMap(({ name }) => numbersOf(original.get(name)!))
const worst = (values: readonly number[]) => Math.max(...values)

const casesOf = (id: string) => (goldenJson(`methods/${id}.json`) as Case[]).map((one, i) => [i, one] as const)

test.each(['neggrad-plus', 'scrub'].flatMap((id) => casesOf(id).map(([i, one]) => [id, i, one] as const)))(
  '%s, case %d: losses, weights and running statistics after each run',
  async (id, _, { params, trace: expected = [] }) => {
    const { trace } = await follow(id, params)
    expect(trace.length).toBe(expected.length)
    let before = start
    for (const [i, { loss, state }] of expected.entries()) {
      // A step changes what is held against it by far more than the bound.
      expect(worst(errors(before, state, variables))).toBeGreaterThan(1e-2)
      expect(worst(errors(trace[i]!.state, state, variables))).toBeLessThan(1e-5)
      expect(Math.abs(trace[i]!.loss / loss - 1)).toBeLessThan(1e-5)
      before = state
    }
  },
)

test.each(casesOf('ssd'))('ssd, case %d: importances and weights', async (_, { params, importances, state }) => {
  const seen = await follow('ssd', params)
  expect(seen.importances.length).toBe(2)
  for (const [i, expected] of importances!.entries()) {
    expect(worst(errors(seen.importances[i]!, expected, network.parameters))).toBeLessThan(1e-5)
  }
  expect(worst(errors(start, state!, variables))).toBeGreaterThan(1e-2)
  expect(worst(errors(seen.state(), state!, variables))).toBeLessThan(1e-5)
})
