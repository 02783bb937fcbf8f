/** A task that no shared file knows goes through training, unlearning and evaluation: one folder a side is all it needs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { planLocal, runLocal } from '../../runner/pipeline/local.ts'
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
  datasets.delete('points')
  await rm(home, { recursive: true })
})

test('retrain, original and an unlearned model are trained, measured and compared', async () => {
  const none = (id: string, trainsOn: 'all' | 'retain') => ({ id, version: 1, trainsOn, params: {} })
  const climb = { id: 'climb', version: 1, params: { passes: 3 } }
  const plan = await planLocal([lineBenchmark()], {
    reference: none('retrain', 'retain'),
    methods: [none('original', 'all'), climb],
    seeds: [0],
  })
  const context = {
    store: openStore(home),
    data: dataLoader({ directories: [], cache: home }),
    threads: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    log: () => {},
  }
  const events = { onBegin: () => {}, onEnd: () => {}, onRun: () => {} }
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
