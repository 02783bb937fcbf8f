/** Classifiers that PyTorch exported (test/golden/exported/make.py) answer and train as they do in PyTorch. */
import proto from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import type { Network } from '../../runner/engine/nn/network.ts'
import { feedName, valueFeeds } from '../../runner/engine/nn/variables.ts'
import { addInput, addOutput, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor, tensor, zeros } from '../../runner/engine/onnx/tensor.ts'
import { crossEntropy } from '../../runner/engine/training/losses.ts'
import { optimizerOf } from '../../runner/engine/training/optimizers.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { goldenBytes, goldenJson } from '../runner/golden.ts'
import { readModel } from '../support/exported-graph.ts'
import { stepsOf } from '../support/steps.ts'
import { distance, type Sketched, uniforms } from './uniform.ts'

interface Reference {
  logits: number[]
  losses: number[]
  gradients: Record<string, Sketched>
  trained: Record<string, Sketched>
}

const [BATCH, STEPS, CLASSES] = [6, 3, 10]
const [IMAGES, LABELS, SKETCH] = [31, 32, 33]
const EXAMPLE = 3 * 16 * 16
const pixels = uniforms(IMAGES, STEPS * BATCH * EXAMPLE)
const labels = Array.from(uniforms(LABELS, STEPS * BATCH, 0, CLASSES), Math.floor)
const batch = (step: number, size = BATCH) =>
  floats([size, 3, 16, 16], pixels.subarray(step * BATCH * EXAMPLE, (step * BATCH + size) * EXAMPLE))

/** A graph of one training step: inputs and outputs by the names of variables and momenta, and the gradients. */
function stepOf(network: Network) {
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'x', 'float32', [BATCH, 3, 16, 16])
  const targets = addInput(graph, 'targets', 'int64', [BATCH])
  const declare = ({ name, shape }: { name: string; shape: readonly number[] }) =>
    [name, addInput(graph, name, 'float32', shape)] as const
  const values = new Map<string, Value>([...network.parameters, ...network.buffers].map(declare))
  const { logits, updates } = network.forward(ops, x, values, true)
  const loss = crossEntropy(ops, logits, targets)
  const optimizer = optimizerOf({ kind: 'sgd', momentum: 0.9, weightDecay: 0, nesterov: false })
  const wrt = network.parameters.map(({ name }) => values.get(name)!)
  differentiate(graph, loss, wrt).forEach((gradient, i) => {
    const parameter = wrt[i]!
    const momentum = addInput(graph, `${parameter.name}:momentum`, 'float32', parameter.shape)
    const [rate, step] = [ops.scalar('float32', 0.05), ops.scalar('float32', 0)]
    const next = optimizer.update({ ops, parameter, gradient, slots: { momentum }, rate, step })
    addOutput(graph, `gradient/${parameter.name}`, gradient)
    addOutput(graph, `next/${parameter.name}`, ops.Sub(parameter, next.change))
    addOutput(graph, `next/${parameter.name}:momentum`, next.slots.momentum!)
  })
  for (const [name, value] of updates) addOutput(graph, `next/${name}`, value)
  addOutput(graph, 'loss', loss)
  return openSession(graph)
}

/** Losses of three steps, gradients of the first and the variables after the last. */
async function train(network: Network) {
  const session = await stepOf(network)
  let state: Record<string, Tensor> = Object.fromEntries([
    ...initialState(network, 0),
    ...network.parameters.map(({ name, shape }) => [`${name}:momentum`, zeros(shape)] as const),
  ])
  const losses: number[] = []
  let gradients: Record<string, Tensor> = {}
  for (let step = 0; step < STEPS; step++) {
    const targets = int64s([BATCH], labels.slice(step * BATCH, (step + 1) * BATCH))
    const outputs = await session.run({ ...state, x: batch(step), targets })
    const under = (prefix: string) =>
      Object.fromEntries(
        Object.entries(outputs).flatMap(([name, value]) =>
          name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
        ),
      )
    losses.push(numbersOf(outputs.loss!)[0]!)
    if (step === 0) gradients = under('gradient/')
    state = { ...state, ...under('next/') }
  }
  await session.release()
  return { losses, gradients, state }
}

const logitsOf = (file: string, size: number) =>
  run(readModel(goldenBytes(`exported/${file}.onnx`), { batchSize: size }), size)

async function run({ graph, parameters, buffers }: ReturnType<typeof readModel>, size: number): Promise<number[]> {
  const weights = [...parameters, ...buffers].map(([{ name }, content]) => [name, content] as const)
  const session = await openSession(graph)
  const { logits } = await session.run({ ...Object.fromEntries(weights), x: batch(0, size) })
  await session.release()
  return numbersOf(logits!)
}

const TOLERANCE = 1e-4 / 2
/** A bias in front of batch norm has the gradient 0, which has no relative error. */
const SMALLEST = 1e-2
const relative = (a: number[], b: number[]) => Math.hypot(...a.map((entry, i) => entry - b[i]!)) / Math.hypot(...b)

describe.each(['conv', 'vit'])('%s.onnx', (file) => {
  const reference = goldenJson(`exported/${file}.json`) as Reference

  test('has the parameters and running statistics of the model', () => {
    const { parameters, buffers } = networkOfModel(goldenBytes(`exported/${file}.onnx`))
    const names = [...parameters, ...buffers].map(({ name }) => name)
    expect(names.toSorted()).toEqual(Object.keys(reference.trained).toSorted())
    expect(parameters.map(({ name }) => name).toSorted()).toEqual(Object.keys(reference.gradients).toSorted())
  })

  test('answers as in PyTorch, for any batch size', async () => {
    expect(relative(await logitsOf(file, BATCH), reference.logits)).toBeLessThan(1e-5)
    expect(relative(await logitsOf(file, 1), reference.logits.slice(0, CLASSES))).toBeLessThan(1e-5)
  })

  test('trains as in PyTorch', async () => {
    const { losses, gradients, state } = await train(networkOfModel(goldenBytes(`exported/${file}.onnx`)))
    expect(relative(losses, reference.losses)).toBeLessThan(1e-5)
    const errorsOf = (tensors: Record<string, Tensor>, expected: Record<string, Sketched>) =>
      Object.entries(expected).map(
        ([name, summary]) =>
          [
            distance(SKETCH, tensors[name]!.data as Float32Array, summary) / Math.max(summary.norm, SMALLEST),
            name,
          ] as const,
      )
    for (const errors of [errorsOf(gradients, reference.gradients), errorsOf(state, reference.trained)]) {
      for (const [error, name] of errors) expect(error, name).toBeLessThan(TOLERANCE)
    }
  })
})

test.each(['vit-default', 'fixed/vit-1', 'fixed/vit-3'])(
  '%s, the same exported with other settings, answers and learns the same',
  async (file) => {
    const reference = goldenJson('exported/vit.json') as Reference
    expect(relative(await logitsOf(file, BATCH), reference.logits)).toBeLessThan(1e-5)
    const { losses } = await train(networkOfModel(goldenBytes(`exported/${file}.onnx`)))
    expect(relative(losses, reference.losses)).toBeLessThan(1e-5)
  },
)

/** conv.onnx with changes. */
// biome-ignore lint/suspicious/noExplicitAny: protobuf messages are edited in place
function edited(edit: (model: any) => void): Uint8Array {
  const { ModelProto } = proto.onnx
  const model = ModelProto.decode(goldenBytes('exported/conv.onnx'))
  edit(model)
  return ModelProto.encode(model).finish()
}

test('an exported model trains inside a Loop', async () => {
  const network = networkOfModel(goldenBytes('exported/conv.onnx'))
  const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 0, nesterov: false } as const
  const images = Uint8Array.from(batch(0).data as Float32Array, (pixel) => 255 * pixel)
  const train = { images, labels: Uint8Array.from(labels.slice(0, BATCH)), count: BATCH }
  const items = Int32Array.from(train.labels.keys())
  const objective = classifierObjective({ network, train, augment: false })
  const session = await openSession(stepsOf(objective, fitLabels(items, { batchSize: BATCH }), { optimizer }))
  const steps = 8
  const { losses } = await session.run({
    ...valueFeeds(initialState(network, 0)),
    ...Object.fromEntries(network.parameters.map(({ name, shape }) => [feedName(name, 'momentum'), zeros(shape)])),
    step: floats([], [0]),
    steps: int64s([], [steps]),
    images: tensor('uint8', [BATCH, 3, 16, 16], images),
    'items.0': int64s(
      [steps, BATCH],
      Array(steps)
        .fill([...items])
        .flat(),
    ),
    'labels.0': int64s([steps, BATCH], Array(steps).fill(labels.slice(0, BATCH)).flat()),
    rates: floats([steps], Array(steps).fill(0.05)),
  })
  await session.release()
  const [first, last] = [numbersOf(losses!)[0]!, numbersOf(losses!).at(-1)!]
  expect(last).toBeLessThan(first / 4)
})

test('forms of older opsets keep their meaning', async () => {
  const node = (opType: string, input: string[], output: string[], attribute: object[] = []) => ({
    opType,
    input,
    output,
    attribute,
    name: output[0],
  })
  const axes = { name: 'axes', type: 7, ints: [2, 3] }
  const keepdims = { name: 'keepdims', type: 2, i: 1 }
  const halves = { name: 'axis', type: 2, i: 1 }
  const bytes = edited((model) => {
    const { graph } = model
    const at = graph.node.findIndex(({ opType }: { opType: string }) => opType === 'Relu')
    const relu = graph.node[at]
    graph.node.splice(
      at,
      1,
      node('ReduceMax', relu.input, ['largest'], [axes, keepdims]),
      node('Split', ['largest'], ['left', 'right'], [halves]),
      node('Concat', ['right', 'left'], ['swapped'], [halves]),
      node('Dropout', ['swapped'], ['kept', 'mask']),
      node('Sub', [relu.input[0], 'kept'], relu.output),
    )
  })
  const session = await openSession(bytes)
  const { scores } = await session.run({ images: batch(0) })
  await session.release()
  const read = readModel(bytes, { batchSize: BATCH })
  expect(relative(await run(read, BATCH), numbersOf(scores!))).toBeLessThan(1e-6)
})

test('GroupNormalization before opset 21 scaled groups, not channels', () => {
  const bytes = edited((model) => {
    const { graph } = model
    model.opsetImport[0].version = 18
    const norm = graph.node.find(({ opType }: { opType: string }) => opType === 'BatchNormalization')
    norm.opType = 'GroupNormalization'
    norm.attribute = [{ name: 'num_groups', type: 2, i: 4 }]
    norm.input = [norm.input[0], 'group.scale', 'group.bias']
    for (const name of ['group.scale', 'group.bias'])
      graph.initializer.push({ name, dataType: 1, dims: [4], floatData: [1, 2, 3, 4] })
  })
  const { graph, parameters } = readModel(bytes, { batchSize: 2 })
  const { inputs } = graph.nodes.find(({ op }) => op === 'GroupNormalization')!
  expect(inputs.map((input) => input!.shape)).toEqual([[2, 8, 16, 16], [8], [8]])
  expect([...parameters.keys()].find(({ name }) => name === 'group.scale')!.shape).toEqual([4])
})

describe('a model that cannot be used is refused:', () => {
  const refusal = (bytes: Uint8Array) => () => networkOfModel(bytes)

  test('other bytes', () => {
    expect(refusal(Uint8Array.of(1, 2, 3))).toThrow('expected an ONNX model')
    expect(refusal(new TextEncoder().encode('<!doctype html>'))).toThrow('expected an ONNX model')
  })
  test('an opset that is too old or too new', () => {
    for (const version of [8, 25]) {
      const bytes = edited((model) => {
        model.opsetImport[0].version = version
      })
      expect(refusal(bytes)).toThrow(`opset ${version}; export it with an opset from 9 to 24`)
    }
  })
  test('dynamic images', () => {
    const bytes = edited(({ graph }) => {
      graph.input[0].type.tensorType.shape.dim[3] = { dimParam: 'width' }
    })
    expect(refusal(bytes)).toThrow('axis 3 of input images is dynamic; fix every axis but the batch on export')
  })
  test('weights in another file', () => {
    const bytes = edited(({ graph }) => {
      Object.assign(graph.initializer[2], { dataLocation: 1, externalData: [{ key: 'location', value: 'conv.data' }] })
    })
    expect(refusal(bytes)).toThrow('conv1.weight lie in another file (conv.data)')
  })
  test('an op without a shape rule', () => {
    const bytes = edited(({ graph }) => {
      graph.node.find((node: { opType: string }) => node.opType === 'Relu').opType = 'Det'
    })
    expect(refusal(bytes)).toThrow('cannot use Det (node /Relu): no shape rule for Det')
  })
  test('draws', () => {
    const bytes = edited(({ graph }) => {
      graph.node.find((node: { opType: string }) => node.opType === 'Relu').opType = 'RandomUniformLike'
    })
    expect(refusal(bytes)).toThrow(
      "cannot use RandomUniformLike (node /Relu): it draws random numbers, which can't follow the run's seed",
    )
  })
  test('an op without a gradient', () => {
    const bytes = edited(({ graph }) => {
      const node = graph.node.find((node: { opType: string }) => node.opType === 'Relu')
      node.opType = 'BitwiseNot'
    })
    expect(refusal(bytes)).toThrow('no gradient for BitwiseNot (node /Relu_output_0')
  })
  test('an op of another domain', () => {
    const bytes = edited(({ graph }) => {
      graph.node.find((node: { opType: string }) => node.opType === 'Relu').domain = 'com.example'
    })
    expect(refusal(bytes)).toThrow('is of the domain com.example')
  })
  test('a batch size that the export fixed', () => {
    const bytes = edited(({ graph }) => {
      const reshape = graph.node.find((node: { opType: string }) => node.opType === 'Reshape')
      graph.initializer.push({ name: 'fixed', dataType: 7, dims: [2], int64Data: [8, 256] })
      reshape.input[1] = 'fixed'
    })
    expect(refusal(bytes)).toThrow(
      /cannot use Reshape \(node \/Reshape\): .*\[2,16,4,4\] does not reshape to \[8,256\].* exported with a dynamic batch axis/,
    )
  })
})
