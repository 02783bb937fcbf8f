/** Small files, one for each thing that files do (test/golden/exported/cases), answer and learn as PyTorch does with their weights. */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { filesBeside } from '../../runner/data/files/beside.ts'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { addInput, addOutput, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, sizeOf } from '../../runner/engine/onnx/tensor.ts'
import { crossEntropy } from '../../runner/engine/training/losses.ts'
import { goldenBytes, goldenJson } from '../runner/golden.ts'
import { distance, type Sketched, uniforms } from './uniform.ts'

interface Reference {
  shape: number[]
  logits: number[]
  loss: number
  gradients: Record<string, Sketched>
}

const BATCH = 2
const [IMAGES, LABELS, SKETCH] = [41, 42, 43]
const references = goldenJson('exported/cases/gradients.json') as Record<string, Reference>

const networkOf = (name: string) => {
  const file = `exported/cases/${name}.onnx`
  const path = fileURLToPath(new URL(`../golden/${file}`, import.meta.url))
  return networkOfModel(goldenBytes(file), { external: filesBeside(path) })
}

/** Logits, loss and the gradient of every parameter for one batch. */
async function learn(name: string, shape: readonly number[]) {
  const network = networkOf(name)
  const graph = newGraph()
  const ops = opsFor(graph)
  const x = addInput(graph, 'feed:x', 'float32', [BATCH, ...shape])
  const targets = addInput(graph, 'feed:targets', 'int64', [BATCH])
  const variables = [...network.parameters, ...network.buffers]
  const values = new Map<string, Value>(
    variables.map((variable) => [variable.name, addInput(graph, variable.name, 'float32', variable.shape)]),
  )
  const { logits } = network.forward(ops, x, values, false)
  const loss = crossEntropy(ops, logits, targets)
  const wrt = network.parameters.map((parameter) => values.get(parameter.name)!)
  differentiate(graph, loss, wrt).forEach((gradient, i) => {
    addOutput(graph, `gradient/${wrt[i]!.name}`, gradient)
  })
  addOutput(graph, 'result:logits', logits)
  addOutput(graph, 'result:loss', loss)
  const session = await openSession(graph)
  const labels = Array.from(uniforms(LABELS, BATCH, 0, network.classes), Math.floor)
  const results = await session.run({
    ...Object.fromEntries(initialState(network, 0)),
    'feed:x': floats([BATCH, ...shape], uniforms(IMAGES, BATCH * sizeOf(shape))),
    'feed:targets': int64s([BATCH], labels),
  })
  await session.release()
  const gradients = network.parameters.map(
    ({ name }) => [name, results[`gradient/${name}`]!.data as Float32Array] as const,
  )
  return {
    logits: numbersOf(results['result:logits']!),
    loss: numbersOf(results['result:loss']!)[0]!,
    gradients: new Map(gradients),
  }
}

describe.each(Object.entries(references))('%s.onnx', (name, reference) => {
  test('has the logits, the loss and the gradients of PyTorch', async () => {
    const { logits, loss, gradients } = await learn(name, reference.shape)
    for (const [i, logit] of logits.entries()) expect(logit).toBeCloseTo(reference.logits[i]!, 5)
    expect(loss).toBeCloseTo(reference.loss, 5)
    expect([...gradients.keys()].toSorted()).toEqual(Object.keys(reference.gradients).toSorted())
    for (const [parameter, gradient] of gradients) {
      const expected = reference.gradients[parameter]!
      expect(distance(SKETCH, gradient, expected) / expected.norm, parameter).toBeLessThan(1e-4 / 2)
    }
  })
})

test('says that halves train in float32', () => {
  expect(networkOf('float16-weights').model.decisions).toContain('weights are stored as float16 and train in float32')
})
