/** A run that is looked at along the way: the same weights, on the same clock, and a path that ends where the evaluation does. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { pathIn } from '../../runner/pipeline/path.ts'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { methods, plannable } from '../../runner/science/catalogue/catalogue.ts'
import { everyFault } from '../../runner/science/catalogue/every-fault.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import type { StageContext } from '../../runner/stages/stage.ts'
import { openStore, type Store } from '../../runner/store/store.ts'
import { benchmarks, suites } from '../../schema/catalogue/catalogue.ts'
import { PATH } from '../../schema/path.ts'
import { planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { range, toyTrainer } from '../support/toy.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const benchmark = { ...quickstart, training: { ...quickstart.training, epochs: 1, batchSize: 64 } }
const WEIGHTS = 'weights.safetensors'

let home: string
let store: Store
const data = dataLoader({ directories: [], cache: '' })
const results = new Map<string, StageResult>()

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  store = openStore(home)
})
afterAll(() => rm(home, { recursive: true }))

async function computed(stage: { key: string; spec: StageSpec }, changes: Partial<StageContext> = {}) {
  const context: StageContext = {
    ...{ store, data, threads: 1, metrics: benchmark.metrics, signal: new AbortController().signal },
    inputs: async (key) => results.get(key)!.artifacts,
    onProgress: () => {},
    log: () => {},
    ...changes,
  }
  const { result } = await runStage(stage.spec, context)
  results.set(stage.key, result)
  return result
}

function planned(id: string, own: Record<string, unknown>, every?: 'epoch') {
  const method = methods.get(id)!
  const params = method.on.classification!.params.parse(own) as Record<string, unknown>
  return planRun(benchmark, plannable(id, method), params, 0, { every })
}

const valuesOf = ({ metrics }: StageResult) =>
  Object.fromEntries(['ua', 'ra', 'ta', 'mia'].map((id) => [id, metrics[id]!.value]))

test.each([
  // An original and two passes; an original and a method that takes none.
  ['ft', { epochs: 2 }, [0, 1, 2]],
  ['ssd', {}, [0, null]],
] as const)(
  'the path of %s begins at the original and ends at the result, which is what it is without',
  async (id, own, passes) => {
    const [[train, unlearn, evaluate], [, plain], [, last]] = await Promise.all([
      planned(id, own, 'epoch'),
      planned(id, own),
      planRun(benchmark, { id: 'original', version: 1, trainsOn: 'all' }, {}, 0),
    ])
    await computed(train!)
    const result = await computed(unlearn!)
    const { points, metrics } = (await pathIn(result.artifacts, store))!
    expect(points.map(({ pass }) => pass)).toEqual(passes)
    expect(points[0]!.values).toEqual(valuesOf(await computed(last!)))
    const evaluation = await computed(evaluate!)
    expect(points.at(-1)!.values).toEqual(valuesOf(evaluation))
    expect(metrics.mia).toBe(evaluation.metrics.mia!.identity)
    const without = await computed(plain!)
    expect(without.artifacts[WEIGHTS]).toEqual(result.artifacts[WEIGHTS])
    expect(without.artifacts[PATH]).toBeUndefined()
  },
)

test('a stage that was cut between two looks keeps the points that it has', async () => {
  const [train, unlearn] = await planned('ft', { epochs: 1 }, 'epoch')
  await computed(train!)
  const stop = new AbortController()
  const looked: string[] = []
  const onProgress: StageContext['onProgress'] = ({ phase, done, total }) => {
    if (phase !== 'answers on D_f' || done < total) return
    looked.push(phase)
    if (looked.length === 2) stop.abort(new Error('cut'))
  }
  const cut = computed(unlearn!, { signal: stop.signal, onProgress, checkpointEveryMs: 0 })
  await expect(cut).rejects.toThrow('cut')
  const continued = await computed(unlearn!, { onProgress })
  // The second alone is made again: it was cut.
  expect(looked).toHaveLength(2 + 1)
  expect(await computed(unlearn!, { force: true })).toMatchObject({ artifacts: continued.artifacts })
})

test('looks are on nobody’s clock', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const hour = 3600
  // Time passes by looks, and by 2 s before each report of progress.
  const trainer = toyTrainer({
    onProgress: () => void vi.advanceTimersByTime(2000),
    watch: async () => void vi.advanceTimersByTime(1000 * hour),
  })
  await trainer.look()
  const optimizer = trainer.sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 0 })
  await optimizer.descend([fitLabels(range(0, 12), { batchSize: 6 })], { passes: 3 })
  expect(trainer.looks()).toHaveLength(4)
  const { work, mask, compile } = trainer.seconds()
  await trainer.release()
  expect(work % 2).toBe(0)
  expect(work).toBeGreaterThanOrEqual(3 * 2)
  expect(work + mask + compile).toBeLessThan(hour)
})

test('images of a diffusion model are not looked at, nor is a training: told before anything is computed', () => {
  const [generated] = suites.get('fashion-mnist-5k-16.ddpm-unet.class-wise')!.benchmarks
  expect(everyFault(generated!, ['ft'], 'epoch')).toMatch(
    /^every: .* can't be looked at along the way, since metrics of image generation/,
  )
  expect(everyFault(generated!, ['ft'], undefined)).toBeNull()
  expect(everyFault(quickstart, ['retrain', 'original'], 'epoch')).toMatch(
    /^every: Retrain, Original trains from scratch/,
  )
  expect(everyFault(quickstart, ['retrain', 'ft'], 'epoch')).toBeNull()
})
