/** The second retrain: the same D_r, and everything that is drawn in training another. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type LocalRun, planLocal, runLocal } from '../../runner/pipeline/local.ts'
import { trainingItems } from '../../runner/pipeline/train.ts'
import { methods, plannable, REFERENCE } from '../../runner/science/catalogue/catalogue.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import { openStore } from '../../runner/store/store.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { planRun } from '../../schema/plan.ts'
import type { StageOf } from '../../schema/stage.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const benchmark = { ...quickstart, training: { ...quickstart.training, epochs: 2, batchSize: 64 } }
const data = dataLoader({ directories: [], cache: '' })
const methodOf = (id: string) => ({ ...plannable(id, methods.get(id)!), params: {} })

const trainOf = async (id: string, seed = 0) => {
  const [train] = await planRun(benchmark, methodOf(id), {}, seed)
  return train as { key: string; spec: StageOf<'train'> }
}

test('a second retrain is trained on what the first one is, under a key of its own', async () => {
  const [first, second, next] = [await trainOf('retrain'), await trainOf('retrain-again'), await trainOf('retrain', 1)]
  expect(second.spec).toEqual({ ...first.spec, draws: 'again' })
  expect(second.key).not.toBe(first.key)
  const { train, classes } = (await data(benchmark.dataset, { signal: new AbortController().signal })).dataset
  const [items, again, other] = [first, second, next].map(({ spec }) => trainingItems(spec, train.labels, classes))
  expect(again).toEqual(items)
  // Another seed would forget other images.
  expect(other).not.toEqual(items)
})

test('a second original is trained on all of D, under a key of its own, and has a part in no other run', async () => {
  const [first, second] = [await trainOf('original'), await trainOf('original-again')]
  expect(second.spec).toEqual({ ...first.spec, draws: 'again' })
  expect(second.key).not.toBe(first.key)
  const stages = await planRun(benchmark, methodOf('ft'), {}, 0)
  expect(stages[0]!.key).toBe(first.key)
  expect(REFERENCE).toBe('retrain')
})

test('the gap of a second retrain is that of another model that never saw D_f, not 0', async () => {
  const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const chosen = ['retrain-again', 'original'].map(methodOf)
  const plan = await planLocal([benchmark], { reference: methodOf(REFERENCE), methods: chosen, seeds: [0] })
  const runs = await runLocal(
    plan,
    {
      store: openStore(home),
      data,
      threads: 1,
      signal: new AbortController().signal,
      log: () => {},
    },
    { onBegin: () => {}, onProgress: () => {}, onEnd: () => {}, onRun: () => {} },
  )
  const [retrain, again] = runs as [LocalRun, LocalRun, LocalRun]
  expect(runs.map(({ method }) => method)).toEqual(['retrain', 'retrain-again', 'original'])
  const weights = ({ stages }: LocalRun) => stages[0]!.result.artifacts['weights.safetensors']!.sha256
  expect(new Set(runs.map(weights)).size).toBe(3)
  expect(retrain.avgGap).toBe(0)
  expect(again.avgGap).toBeGreaterThan(0)
})
