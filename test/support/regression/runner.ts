/** The third task on the engine's side, with data of its own. */

import { z } from 'zod'
import { withDigest } from '../../../runner/data/digest.ts'
import { declare } from '../../../runner/engine/nn/variables.ts'
import { addInput, type Value } from '../../../runner/engine/onnx/graph.ts'
import { int64s, tensor } from '../../../runner/engine/onnx/tensor.ts'
import type { Objective } from '../../../runner/engine/training/objective.ts'
import { createTrainer } from '../../../runner/engine/training/trainer.ts'
import { type Dataset, defineDataset } from '../../../runner/science/dataset.ts'
import { EVIDENCE } from '../../../runner/science/task.ts'
import { splitOf } from '../../../runner/stages/split.ts'
import { defineRunnerTask } from '../../../runner/stages/task.ts'
import { loadWeights } from '../../../runner/stages/weights.ts'
import { encodeErrors, type Line, lineValues } from './science.ts'

const POINTS = 40

/** Point i is two bytes; its wanted value is a line through them, with the label as what no line can tell. */
export const points = defineDataset({
  title: 'Points',
  licence: 'none',
  source: 'made here',
  normalization: { mean: [0], std: [1] },
  async load() {
    const images = Uint8Array.from({ length: 2 * POINTS }, (_, i) => (i * i * 37 + i * 11) % 256)
    const labels = Uint8Array.from({ length: POINTS }, (_, i) => i % 2)
    const split = { images, labels, count: POINTS }
    const shape = { channels: 1, height: 1, width: 2, classes: ['low', 'high'] }
    return withDigest({ ...shape, train: split, test: split })
  },
})

/** w · x + b */
const network = {
  ...declare(({ parameter }) => {
    parameter('weight', [2, 1], () => Float32Array.of(0.1, -0.1))
    return parameter('bias', [1], () => new Float32Array(1))
  }),
  classes: 2,
}

function lineObjective({ train }: Dataset): Objective<Line> {
  const inputs = Float32Array.from(train.images, (byte) => byte / 255)
  const wanted = Float32Array.from(train.labels, (label, i) => inputs[2 * i]! - inputs[2 * i + 1]! + label / 4)
  return {
    parameters: network.parameters,
    buffers: [],
    values: lineValues,
    population: ({ items }) => items.length,
    batchSize: ({ batchSize }) => batchSize,
    shapeOf: () => ({ points: train.count }),
    declare(graph, k, { batch }) {
      const x = graph.inputs.find(({ name }) => name === 'x') ?? addInput(graph, 'x', 'float32', [train.count, 2])
      const y = graph.inputs.find(({ name }) => name === 'y') ?? addInput(graph, 'y', 'float32', [train.count, 1])
      const items = addInput(graph, `items.${k}`, 'int64', [-1, batch])
      return (ops, iteration) =>
        ({ op }, _, net) => {
          const at = (values: Value) => ops.Gather(values, ops.Gather(items, iteration))
          if (op === 'wanted') return at(y)
          if (op !== 'predicted' || !net) return null
          return ops.Add(ops.MatMul(at(x), net.values.get('weight')!), net.values.get('bias')!)
        }
    },
    draw: ({ items }, { k }) => ({
      feeds: { x: tensor('float32', [train.count, 2], inputs), y: tensor('float32', [train.count, 1], wanted) },
      stepFeeds: async ({ steps, batch, positions }) => ({
        [`items.${k}`]: int64s(
          [steps, batch],
          positions.map((at) => items[at]!),
        ),
      }),
    }),
  }
}

export const regression = defineRunnerTask<Line>({
  architectures: { line: { title: 'Line', paper: null, params: z.strictObject({}) } },
  model: (_, { dataset }) => ({
    network,
    objective: () => lineObjective(dataset),
    verbs: () => ({}),
    async fit(trainer, { items, recipe }) {
      const { epochs, batchSize, learningRate, clipNorm } = recipe
      const optimizer = trainer.fit({ spec: recipe.optimizer, learningRate, clipNorm })
      for (let epoch = 0; epoch < epochs; epoch++) {
        await optimizer.pass(
          [
            {
              on: { items, batchSize },
              loss: ({ predicted, wanted, subtract, square, mean }) => mean(square(subtract(predicted, wanted))),
            },
          ],
          {
            rate: () => learningRate,
            phase: `epoch ${epoch + 1} of ${epochs}`,
            share: (done) => (epoch + done) / epochs,
          },
        )
      }
      return null
    },
  }),
  async measure(spec, context) {
    const { store, threads, signal, onProgress } = context
    const { dataset } = await context.data(spec.dataset, { signal, onProgress })
    const state = await loadWeights(store, network, await context.inputs(spec.inputs.weights!))
    const { forget, retain } = splitOf(dataset.train.labels, dataset.classes, spec)
    const trainer = createTrainer({
      objective: lineObjective(dataset),
      ...{ state, seed: spec.seed, purpose: 'evaluate', threads, signal, onProgress },
    })
    try {
      const errors = (items: Int32Array) =>
        trainer.evaluate({ items, batchSize: 8 }, ({ predicted, wanted, subtract, square }) =>
          square(subtract(predicted, wanted)),
        )
      const evidence = encodeErrors({ forget: await errors(forget), retain: await errors(retain) })
      return { artifacts: { [EVIDENCE]: await store.put(evidence) }, seconds: { setUp: 0, evaluate: 0.001 } }
    } finally {
      await trainer.release()
    }
  },
})
