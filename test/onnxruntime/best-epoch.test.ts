/** A training that ends with the epoch that answers best on images held out. */
import { expect, test } from 'vitest'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { createTrainer, type StageTrainer } from '../../runner/engine/training/trainer.ts'
import { choosingItems } from '../../runner/pipeline/train.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import type { TaskModel } from '../../runner/stages/task.ts'
import { classification } from '../../runner/tasks/classification/task.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { trainingRecipe } from '../../schema/parts/recipe.ts'
import type { StageOf } from '../../schema/stage.ts'
import { type Cutting, cutAndContinued, uncut } from '../support/cut.ts'
import { bytesOf, range } from '../support/toy.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const loaded = await dataLoader({ directories: [], cache: '' })(quickstart.dataset, {
  signal: new AbortController().signal,
})
const { labels } = loaded.dataset.train
const model = { id: 'small-cnn', params: { width: 2, hidden: 8 } }
const task = (await classification.model({ model } as unknown as StageOf<'train'>, loaded, {
  places: { directories: [], cache: '' },
})) as unknown as TaskModel<ClassifierTypes>
const [items, heldOut] = [range(0, 120), range(120, 220)]

// The rate is a hundred times as large from the fourth epoch on, which undoes what was learned.
const recipe = trainingRecipe.parse({
  ...{ epochs: 6, batchSize: 20, learningRate: 0.02, optimizer: { kind: 'sgd' }, augment: false, holdOut: 0.5 },
  schedule: { kind: 'step', milestones: [3], factor: 100 },
})

/** Weights after a training, its line of the log, and its share of right answers on what was held out. */
async function trained(own: object, cutting: Cutting = uncut()) {
  const trainer: StageTrainer<ClassifierTypes> = createTrainer({
    objective: task.objective({ seed: 0, augment: false, executor: () => trainer.executor }),
    state: initialState(task.network, 0),
    ...{ seed: 0, purpose: 'train', threads: 1, ...cutting },
  })
  const lines: string[] = []
  try {
    const log = (line: string) => void lines.push(line)
    await task.fit(trainer, { items, all: items.length, heldOut, recipe: { ...recipe, ...own }, log })
    const state = bytesOf(trainer.state())
    const answers = await trainer.evaluate({ items: heldOut, batchSize: 100 }, ({ logits, argMax }) => argMax(logits))
    return { state, lines, right: heldOut.filter((item, i) => answers[i] === labels[item]).length }
  } finally {
    await trainer.release()
  }
}

test('the weights are those of the first epoch that answers best, cut and continued too', async () => {
  const epochs = []
  for (let count = 1; count <= recipe.epochs; count++) epochs.push(await trained({ epochs: count }))
  const rights = epochs.map(({ right }) => right)
  const first = rights.indexOf(Math.max(...rights))
  expect(first).toBeLessThan(3)
  expect(rights.at(-1)).toBeLessThan(rights[first]!)
  const best = await trained({ checkpoint: 'best' })
  expect(best.state).toEqual(epochs[first]!.state)
  expect(best.lines).toEqual([
    `kept the weights of epoch ${first + 1}, with ${rights[first]}.00% right of 100 images held out`,
  ])
  const { result, attempts } = await cutAndContinued((cutting) => trained({ checkpoint: 'best' }, cutting), {
    every: 3,
  })
  expect(attempts).toBeGreaterThan(2)
  expect(result.state).toEqual(best.state)
}, 60_000)

test('retrain of a class chooses without that class, and a share that holds out nothing is refused', () => {
  const classes = ['a', 'b']
  const truth = Uint8Array.from({ length: 20 }, (_, i) => i % 2)
  const own = { ...recipe, checkpoint: 'best' } as const
  const of = (holdOut: number, without: StageOf<'train'>['without']) =>
    choosingItems({ without, recipe: { ...own, holdOut }, seed: 0 }, truth, classes)
  expect(of(0.2, null)).toHaveLength(4)
  expect(of(0.2, { kind: 'random', fraction: 0.1 })).toEqual(of(0.2, null))
  expect([...of(0.2, { kind: 'class', label: 1 })]).toEqual([...of(0.2, null)].filter((item) => truth[item] === 0))
  expect(() => of(0.01, null)).toThrow(
    'training.checkpoint: best needs images to choose by, and holdOut 0.01 leaves none; raise holdOut, or leave checkpoint out',
  )
})
