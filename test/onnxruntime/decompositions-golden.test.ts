/** Classifiers of ops that reading writes as others (test/golden/decompositions/make.py) answer and learn as they do in PyTorch. */
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { addInput, addOutput } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { crossEntropy } from '../../runner/engine/training/losses.ts'
import { goldenBytes, goldenJson } from '../runner/golden.ts'
import { readModel } from '../support/exported-graph.ts'
import { uniforms } from './uniform.ts'

const [BATCH, STEPS, CLASSES, RATE] = [6, 4, 10, 0.1]
const [IMAGES, LABELS] = [31, 32]
const EXAMPLE = 3 * 16 * 16
const pixels = uniforms(IMAGES, STEPS * BATCH * EXAMPLE)
const labels = Array.from(uniforms(LABELS, STEPS * BATCH, 0, CLASSES), Math.floor)

/** Logits of the first batch, and the loss before each step of SGD. */
async function learned(file: string, freeze: string[]): Promise<{ logits: number[]; losses: number[] }> {
  const bytes = goldenBytes(`decompositions/${file}.onnx`)
  const { graph, logits, parameters } = readModel(bytes, { batchSize: BATCH, freeze })
  const targets = addInput(graph, 'targets', 'int64', [BATCH])
  const ops = opsFor(graph)
  const loss = crossEntropy(ops, logits, targets)
  addOutput(graph, 'loss', loss)
  const weights = [...parameters.keys()]
  differentiate(graph, loss, weights).forEach((gradient, i) => {
    addOutput(graph, `next ${weights[i]!.name}`, ops.Sub(weights[i]!, ops.Mul(gradient, RATE)))
  })
  const session = await openSession(graph, { threads: 1 })
  let state: Record<string, Tensor> = Object.fromEntries([...parameters].map(([{ name }, content]) => [name, content]))
  const found: { logits: number[]; losses: number[] } = { logits: [], losses: [] }
  for (let step = 0; step < STEPS; step++) {
    const images = pixels.subarray(step * BATCH * EXAMPLE, (step + 1) * BATCH * EXAMPLE)
    const outputs = await session.run({
      ...state,
      x: floats([BATCH, 3, 16, 16], images),
      targets: int64s([BATCH], labels.slice(step * BATCH, (step + 1) * BATCH)),
    })
    if (step === 0) found.logits = numbersOf(outputs.logits!)
    found.losses.push(numbersOf(outputs.loss!)[0]!)
    state = Object.fromEntries(Object.keys(state).map((name) => [name, outputs[`next ${name}`]!]))
  }
  await session.release()
  return found
}

const relative = (a: number[], b: number[]) => Math.hypot(...a.map((entry, i) => entry - b[i]!)) / Math.hypot(...b)

/** Of a file, tensors that its exporter computed ahead without a name that says so. */
const tables: Record<string, string[]> = { 'sampled-dynamo': ['view_4'] }

const files = [
  ['rows', 'rows-dynamo'],
  ['rows', 'rows-legacy'],
  ['sampled', 'sampled-dynamo'],
  ['sampled', 'sampled-legacy'],
  ['mixed', 'mixed-dynamo'],
  ['folded', 'folded-dynamo'],
  ['attended', 'attended-dynamo'],
  ['attended', 'attended-23-dynamo'],
] as const

describe.each(files)('of %s, %s.onnx', (name, file) => {
  test('answers and learns as in PyTorch', async () => {
    const reference = goldenJson(`decompositions/${name}.json`) as { logits: number[]; losses: number[] }
    const { logits, losses } = await learned(file, tables[file] ?? [])
    expect(relative(logits, reference.logits)).toBeLessThan(1e-5)
    expect(losses).toHaveLength(STEPS)
    losses.forEach((loss, step) => {
      expect(loss).toBeCloseTo(reference.losses[step]!, 5)
    })
  })
})
