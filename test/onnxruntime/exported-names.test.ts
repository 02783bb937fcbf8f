/** A parameter may have any name: those of a program's own inputs and outputs, of what goes beside another parameter, odd ones. */
import proto from 'onnx-proto'
import { expect, test } from 'vitest'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { extract } from '../../runner/engine/nn/extract.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { createTrainer } from '../../runner/engine/training/trainer.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { goldenBytes } from '../runner/golden.ts'
import { uniforms } from './uniform.ts'

const { ModelProto } = proto.onnx
const ITEMS = 12
const images = Uint8Array.from(uniforms(61, ITEMS * 3 * 16 * 16, 0, 256))
const labels = Uint8Array.from(uniforms(62, ITEMS, 0, 10))
const items = Int32Array.from(labels.keys())
const common = { threads: 1, signal: new AbortController().signal, onProgress: () => {} }

/** Of the variables of conv.onnx, in their order. */
const NAMES = [
  ...['images', 'step', 'items.0', 'rates', 'value:fc.bias', 'momentum:step', 'average:images', 'next/step'],
  ...['kept.0:images', 'steps', 'plan', 'losses', 'Conv.#3', 'x', 'a b\n"ü"', '__proto__'],
]

/** conv.onnx with its variables renamed. */
function renamed(): { bytes: Uint8Array; names: Map<string, string> } {
  const model = ModelProto.decode(goldenBytes('exported/conv.onnx'))
  const { parameters, buffers } = networkOfModel(goldenBytes('exported/conv.onnx'))
  const names = new Map([...parameters, ...buffers].map(({ name }, i) => [name, NAMES[i]!]))
  const own = (name: string) => names.get(name) ?? (NAMES.includes(name) ? `the file's ${name}` : name)
  const graph = model.graph!
  for (const tensor of graph.initializer!) tensor.name = own(tensor.name!)
  for (const node of graph.node!) {
    node.input = node.input!.map(own)
    node.output = node.output!.map(own)
  }
  for (const value of [...graph.input!, ...graph.output!]) value.name = own(value.name!)
  return { bytes: ModelProto.encode(model).finish(), names }
}

/** What training, looking and answering come to, by variable. */
async function everything(bytes: Uint8Array, train: string[]) {
  const network = networkOfModel(bytes, { train })
  const objective = classifierObjective({ network, train: { images, labels, count: ITEMS }, augment: false })
  const trainer = createTrainer({ ...common, objective, state: initialState(network, 0), seed: 1, purpose: 'test' })
  const term = fitLabels(items, { batchSize: 6 })
  const mask = await trainer.mask({ kind: 'saliency', density: 0.5, of: term })
  const kept = trainer.keep()
  const near = { learningRate: 0.05, momentum: 0.9, weightDecay: 0, mask, average: 0.5 }
  const optimizer = trainer.sgd({
    ...near,
    penalty: ({ weights, weightsOf, square, subtract, sum }) => sum(square(subtract(weights, weightsOf(kept)))),
  })
  await optimizer.descend([term], { passes: 2 })
  await optimizer.takeAverage()
  const importance = await trainer.importance(term, { together: 2 })
  const state = trainer.state()
  await trainer.release()
  const { logits } = await extract({ ...common, network, state, images })
  return { state, importance, logits }
}

test('training, looking and answering come to the same whatever variables are called', async () => {
  const { bytes, names } = renamed()
  const plain = await everything(goldenBytes('exported/conv.onnx'), [])
  const odd = await everything(bytes, [])
  expect([...odd.state.keys()].toSorted()).toEqual([...names.values()].toSorted())
  for (const [name, { data }] of plain.state) expect(odd.state.get(names.get(name)!)!.data, name).toEqual(data)
  for (const [name, values] of plain.importance) expect(odd.importance.get(names.get(name)!), name).toEqual(values)
  expect(odd.logits).toEqual(plain.logits)
})
