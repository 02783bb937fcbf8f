/** What a method costs more as one file in the sandbox than built in: both on the shipped Fashion-MNIST with the small CNN, in turns, after
 *  their programs were compiled once. Prints seconds and their ratio, which is to be at most 1.1. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fashionMnist5k } from '../../runner/data/datasets/fashion-mnist-5k.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { createTrainer } from '../../runner/engine/training/trainer.ts'
import { openMethod } from '../../runner/sandbox/method.ts'
import { sourceOf } from '../../runner/sandbox/source.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import type { Unlearning } from '../../runner/science/method.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1' },
    methods: { type: 'string', default: 'ft,neggrad-plus,salun' },
  },
})
const { train } = await fashionMnist5k.load({ directories: [], cache: '' })
const { normalization } = fashionMnist5k
const network = networkOf([1, 28, 28], 10, (scope, x) =>
  smallCnn.build(scope, x, { classes: 10, normalization }, smallCnn.params.parse({}) as never),
)
const params = { epochs: 2, learningRate: 0.01 }
const items = Int32Array.from({ length: train.count }, (_, i) => i)

/** Seconds of a whole run, without compiling. */
async function secondsOf({ run, params: schema }: Unlearning): Promise<number> {
  const trainer = createTrainer({
    objective: classifierObjective({ network, train, augment: false }),
    ...{ state: initialState(network, 0), seed: 0, purpose: 'unlearn', threads: Number(values.threads) },
    ...{ signal: new AbortController().signal, onProgress: () => {} },
  })
  const began = performance.now()
  try {
    await run({
      ...{ params: schema.parse(params), trainer: trainer as never, verbs: { imageShape: network.inputShape } },
      ...{
        forget: items.subarray(0, 500),
        retain: items.subarray(500),
        forgotten: [],
        labels: train.labels,
        classes: 10,
      },
      random: randomStream(0, 'labels'),
    })
    return (performance.now() - began) / 1000 - trainer.seconds().compile
  } finally {
    await trainer.release()
  }
}

const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!
for (const id of values.methods.split(',')) {
  const path = new URL(`../../docs/one-file/${id}.ts`, import.meta.url)
  const file = await openMethod(await sourceOf(`${id}.ts`, readFileSync(path)))
  const both = [methods.get(id)!, file].map(({ on }) => on.classification!)
  const seconds = both.map((): number[] => [])
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, unlearning] of both.entries()) seconds[i]!.push(await secondsOf(unlearning))
  }
  const [builtIn, sandboxed] = seconds.map(median) as [number, number]
  console.log(
    `${id}: built in ${builtIn.toFixed(3)} s, one file ${sandboxed.toFixed(3)} s, ratio ${(sandboxed / builtIn).toFixed(3)}`,
  )
}
