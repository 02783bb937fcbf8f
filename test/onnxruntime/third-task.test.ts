/** A task that no shared file knows goes through training, unlearning and evaluation: one folder a side is all it needs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dropped, type LocalStage, planLocal, runLocal } from '../../runner/pipeline/local.ts'
import { runnerTasks } from '../../runner/pipeline/tasks.ts'
import { methods, scienceTasks } from '../../runner/science/catalogue/catalogue.ts'
import { dataLoader, datasets } from '../../runner/stages/data.ts'
import { openStore } from '../../runner/store/store.ts'
import { tasks } from '../../schema/task.ts'
import { lineBenchmark } from '../support/regression/benchmark.ts'
import * as runner from '../support/regression/runner.ts'
import * as science from '../support/regression/science.ts'
import { regression } from '../support/regression/spec.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  tasks.set('regression', regression)
  scienceTasks.set('regression', science.regression)
  runnerTasks.set('regression', runner.regression)
  methods.set('climb', science.climb)
  datasets.set('points', runner.points)
})
afterAll(async () => {
  tasks.delete('regression')
  scienceTasks.delete('regression')
  runnerTasks.delete('regression')
  methods.delete('climb')
  methods.delete('wild')
  datasets.delete('points')
  await rm(home, { recursive: true })
})

const trained = (id: string, trainsOn: 'all' | 'retain') => ({ id, version: 1, trainsOn, params: {} })
const climb = { id: 'climb', version: 1, params: { passes: 3 } }
const contextHere = () => ({
  store: openStore(home),
  data: dataLoader({ directories: [], cache: home }),
  threads: 1,
  signal: new AbortController().signal,
  log: () => {},
})

test('retrain, original and an unlearned model are trained, measured and compared', async () => {
  const plan = await planLocal([lineBenchmark()], {
    reference: trained('retrain', 'retain'),
    methods: [trained('original', 'all'), climb],
    seeds: [0],
  })
  const context = contextHere()
  const events = { onBegin: () => {}, onProgress: () => {}, onEnd: () => {}, onRun: () => {} }
  const runs = await runLocal(plan, context, events)
  const error = (method: string, set = 'forget') => runs.find((run) => run.method === method)!.metrics[`${set}-error`]!
  expect(runs.map(({ stages }) => stages.map(({ kind }) => kind))).toEqual([
    ['train', 'evaluate'],
    ['train', 'evaluate'],
    ['train', 'unlearn', 'evaluate'],
  ])
  // Least squares: retrain is the best line for D_r and the original the best for D, so the original errs less on D_f.
  expect(error('retrain', 'retain')).toBeLessThan(error('original', 'retain'))
  expect(error('original')).toBeLessThan(error('retrain'))
  expect(error('climb')).toBeGreaterThan(error('original'))
  expect(runs[2]!.avgGap).toBeGreaterThan(0)
  const again = await runLocal(plan, context, {
    ...events,
    onEnd: (_, { reused }) => expect(reused).toBe(true),
  })
  expect(again.map(({ metrics }) => metrics)).toEqual(runs.map(({ metrics }) => metrics))
})

test('a method that diverges is named and left out, and the others go on', async () => {
  methods.set('wild', science.climb)
  // Each pass multiplies the error by more than 1, so that after hundreds no float32 holds it.
  const wild = { id: 'wild', version: 1, params: { passes: 2000 } }
  const plan = await planLocal([lineBenchmark()], {
    reference: trained('retrain', 'retain'),
    methods: [wild, climb],
    seeds: [0, 1],
  })
  const context = contextHere()
  const begun: string[] = []
  const events = {
    onBegin: ({ method, spec, seed }: LocalStage) => {
      if (spec.kind === 'unlearn') begun.push(`${method} ${seed}`)
    },
    onProgress: () => {},
    onEnd: () => {},
    onRun: () => {},
  }
  const dropped: Dropped[] = []
  const runs = await runLocal(plan, context, { ...events, onDrop: (drop) => dropped.push(drop) })
  expect(runs.map(({ method, seed }) => `${method} ${seed}`)).toEqual(['retrain 0', 'climb 0', 'retrain 1', 'climb 1'])
  expect(dropped).toMatchObject([{ method: 'wild', seed: 0, error: { name: 'DivergenceError' } }])
  // Of the second seed it isn't even begun.
  expect(begun).toEqual(['wild 0', 'climb 0', 'climb 1'])
  await expect(runLocal(plan, context, events)).rejects.toThrow(dropped[0]!.error.message)
  const reference = { ...plan, reference: 'wild', runs: plan.runs.filter(({ method }) => method.id === 'wild') }
  await expect(runLocal(reference, context, { ...events, onDrop: () => {} })).rejects.toThrow(dropped[0]!.error.message)
})
