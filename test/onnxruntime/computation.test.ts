/** Results are kept under what computed them: other threads, other inputs and another source of the method are computed anew. */
import { appendFile, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { threadsUsed } from '../../runner/engine/onnx/session.ts'
import { computationOf } from '../../runner/pipeline/computation.ts'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { metricSources, sourceOf, sourcesOf } from '../../runner/pipeline/sources.ts'
import { methods, metricsOf, plannable } from '../../runner/science/catalogue/catalogue.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import type { StageContext } from '../../runner/stages/stage.ts'
import { openStore } from '../../runner/store/store.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { type PlannedStage, planRun } from '../../schema/plan.ts'
import type { ArtifactRef } from '../../schema/result.ts'
import type { StageOf } from '../../schema/stage.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const benchmark = { ...quickstart, training: { ...quickstart.training, epochs: 1, batchSize: 64 } }
const data = dataLoader({ directories: [], cache: '' })

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
})
afterEach(() => rm(home, { recursive: true }))

async function stageOf<Kind extends 'train' | 'unlearn'>(kind: Kind): Promise<StageOf<Kind>> {
  const method = methods.get('ga')!
  const params = method.on.classification!.params.parse({ epochs: 1 })
  const stages = await planRun(benchmark, { id: 'ga', version: method.version }, params as Record<string, unknown>, 0)
  return stages.find(({ spec }) => spec.kind === kind)!.spec as StageOf<Kind>
}

const context = (changes: Partial<StageContext> = {}): StageContext => ({
  store: openStore(home),
  data,
  inputs: async () => ({}),
  threads: 1,
  signal: new AbortController().signal,
  onProgress: () => {},
  log: () => {},
  ...changes,
})

describe('a stage that was computed with one thread', () => {
  test('is computed anew with two, to other bytes and times, and each is found again', async () => {
    const spec = await stageOf('train')
    const run = (threads: number) => runStage(spec, context({ threads }))
    const one = await run(1)
    const two = await run(2)
    expect([one.reused, two.reused]).toEqual([false, false])
    expect([one, two].map(({ result }) => result.device.threads)).toEqual([1, 2])
    expect(two.result.artifacts).not.toEqual(one.result.artifacts)
    expect(await run(1)).toEqual({ result: one.result, reused: true })
    expect(await run(2)).toEqual({ result: two.result, reused: true })
    const { result, reused } = await runStage(spec, context({ threads: 2, force: true }))
    expect(reused).toBe(false)
    expect(result.artifacts).toEqual(two.result.artifacts)
  })

  test('goes on with one thread only', async () => {
    const spec = await stageOf('train')
    const controller = new AbortController()
    const onProgress: StageContext['onProgress'] = ({ done }) => done > 0 && controller.abort(new Error('cut'))
    const cut = context({ signal: controller.signal, onProgress, checkpointEveryMs: 0 })
    await expect(runStage(spec, cut)).rejects.toThrow('cut')
    const halves = await readdir(join(home, 'partial'))
    expect(halves).toEqual([`${await computationOf(spec, cut)}.safetensors`])
    const { result } = await runStage(spec, context({ threads: 2 }))
    const other = await runStage(spec, context({ threads: 2, force: true }))
    expect(result.artifacts).toEqual(other.result.artifacts)
    expect(await readdir(join(home, 'partial'))).toEqual(halves)
  })
})

test('a number of threads that is left open is told as the one that computes', async () => {
  const spec = await stageOf('train')
  expect(threadsUsed(0)).toBeGreaterThan(0)
  expect(await computationOf(spec, context({ threads: 0 }))).toBe(
    await computationOf(spec, context({ threads: threadsUsed(0) })),
  )
})

test('a stage that read other bytes under the same key is another computation', async () => {
  const spec = await stageOf('unlearn')
  const given = (digit: string) => {
    const weights: ArtifactRef = { sha256: digit.repeat(64), bytes: 1 }
    return computationOf(spec, context({ inputs: async () => ({ 'weights.safetensors': weights }) }))
  }
  expect(await given('a')).toBe(await given('a'))
  expect(await given('a')).not.toBe(await given('b'))
})

describe('the source of a method', () => {
  const methodsFolder = resolve(import.meta.dirname, '../../runner/science/methods')
  let folder: string
  beforeEach(async () => {
    folder = join(home, 'methods')
    await cp(methodsFolder, folder, { recursive: true })
  })

  test('is known for every method of the catalogue', async () => {
    for (const id of methods.keys()) expect(await sourceOf(methodsFolder, id)).toMatch(/^[0-9a-f]{64}$/)
    expect(await sourceOf(methodsFolder, 'nobody')).toBeNull()
  })

  test('is another one once its file or a part of it was edited, and the same where another method was', async () => {
    const all = () => Promise.all(['ga', 'rl', 'retrain'].map((id) => sourceOf(folder, id)))
    const before = await all()
    expect(before).toEqual(await Promise.all(['ga', 'rl', 'retrain'].map((id) => sourceOf(methodsFolder, id))))
    await appendFile(join(folder, 'ga.ts'), '// halved\n')
    const edited = await all()
    expect(edited.map((hash, i) => hash === before[i])).toEqual([false, true, true])
    await appendFile(join(folder, 'parts/relabel.ts'), '// halved\n')
    expect((await all()).map((hash, i) => hash === edited[i])).toEqual([true, false, true])
  })
})

test('dataset and model of every benchmark, and every metric, have a source that counts', async () => {
  for (const each of benchmarks.values()) {
    const stages = await planRun(each, plannable('retrain', methods.get('retrain')!), {}, 0)
    for (const { spec } of stages) {
      const { dataset, model } = (await sourcesOf(spec)) as { dataset: string; model: (string | null)[] }
      expect(dataset).toMatch(/^[0-9a-f]{64}$/)
      expect(model.filter((source) => source !== null)).toHaveLength(1)
    }
    const ids = [...metricsOf(each.task.id).keys()]
    expect(Object.keys(await metricSources(each.task.id, ids))).toEqual(ids)
  }
})

test('a value that another source of its metric computed is computed anew, from the evidence', async () => {
  const stages = await planRun(benchmark, plannable('retrain', methods.get('retrain')!), {}, 0)
  const [train, evaluate] = stages as [PlannedStage, PlannedStage]
  const { result } = await runStage(train.spec, context())
  const evaluated = context({ inputs: async () => result.artifacts, metrics: ['ua/accuracy@1', 'ra/accuracy@1'] })
  const first = (await runStage(evaluate.spec, evaluated)).result
  const { store } = evaluated
  const key = await computationOf(evaluate.spec, evaluated)
  const { sources } = (await store.readRecord(key))!
  expect(Object.keys(sources)).toEqual(['ua', 'ra'])
  // As an earlier form of both metrics left them; the source of RA is today's.
  const older = Object.entries(first.metrics).map(([id, { identity, value }]) => [id, { identity, value: value + 1 }])
  const edited = { ...first, metrics: Object.fromEntries(older) }
  await store.writeStage(key, edited, evaluate.spec, { ...sources, ua: 'f'.repeat(64) })
  const again = await runStage(evaluate.spec, evaluated)
  expect(again.reused).toBe(true)
  expect(again.result.metrics).toEqual({ ua: first.metrics.ua, ra: edited.metrics.ra })
  expect((await store.readRecord(key))!.sources).toEqual(sources)
})
