/** What a server knows of results before they arrive: counts of splits and shapes of weights. */
import { expect, test } from 'vitest'
import { fashionMnist5k } from '../../runner/data/datasets/fashion-mnist-5k.ts'
import { fashionMnist5k16 } from '../../runner/data/datasets/fashion-mnist-5k-16.ts'
import { weightShapes } from '../../runner/engine/nn/architectures/weight-shapes.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { splitOf } from '../../runner/stages/split.ts'
import { networkFor } from '../../runner/tasks/classification/network.ts'
import { denoiserFor } from '../../runner/tasks/generation/denoiser.ts'
import { pictured } from '../../schema/classes.ts'
import type { ForgetRequest } from '../../schema/parts/recipe.ts'
import { splitCounts } from '../../schema/parts/split-counts.ts'

const shipped = { 'fashion-mnist-5k': fashionMnist5k, 'fashion-mnist-5k-16': fashionMnist5k16 }
const load = (id: keyof typeof shipped) => shipped[id].load({ directories: [], cache: '' })

test.each(['fashion-mnist-5k', 'fashion-mnist-5k-16'] as const)('facts of %s are those of its images', async (id) => {
  const { train, test, classes, height, width, channels } = await load(id)
  const facts = pictured[id]
  expect({ classes, size: height, channels, train: train.count, test: test.count }).toEqual(facts)
  expect(width).toBe(facts.size)
  for (const { labels, count } of [train, test]) {
    for (const label of classes.keys()) {
      expect(labels.filter((each) => each === label)).toHaveLength(count / classes.length)
    }
  }
})

const requests: ForgetRequest[] = [
  { kind: 'random', fraction: 0.1 },
  { kind: 'random', fraction: 1 / 3 },
  { kind: 'class', label: 4 },
]
test.each(requests.flatMap((request) => [0, 0.1, 0.123].map((holdOut) => [holdOut, request] as const)))(
  'counts of a split that holds out %f follow from the request %j',
  async (holdOut, request) => {
    const { train, classes } = await load('fashion-mnist-5k')
    const { all, forget, retain } = splitOf(train.labels, classes, { holdOut, request, seed: 3 })
    const counts = splitCounts({ train: train.count, classes: classes.length }, { holdOut, request })
    expect(counts).toEqual({ all: all.length, forget: forget.length, retain: retain.length })
  },
)

test('shapes of weights are those of what a runner saves; of an unknown architecture nothing is known', async () => {
  const images = { channels: 1, height: 16, width: 16, classes: 10 }
  const loaded = { dataset: await load('fashion-mnist-5k-16'), definition: fashionMnist5k16 }
  const models = [
    { id: 'small-cnn', params: { width: 4, hidden: 8 } },
    { id: 'resnet18', params: { width: 2 } },
    {
      id: 'ddpm-unet',
      params: { channels: 16, multipliers: [1, 2], blocks: 1, attention: [8], groups: 8, dropout: 0 },
    },
  ]
  for (const model of models) {
    const network = model.id === 'ddpm-unet' ? denoiserFor(model, loaded).network : networkFor(model, loaded)
    const saved = [...initialState(network, 0)].map(([name, { shape }]) => [name, shape])
    expect([...weightShapes(model, images)!], model.id).toEqual(saved)
  }
  expect(weightShapes({ id: 'mine', params: {} }, images)).toBeNull()
})
