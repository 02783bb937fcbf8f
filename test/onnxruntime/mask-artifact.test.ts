/** The mask of a method as evidence: as many bits as its density says, and nothing outside them moved. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countFree, decodeMask } from '../../runner/formats/mask.ts'
import { readSafetensors } from '../../runner/formats/safetensors.ts'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { methods, plannable } from '../../runner/science/catalogue/catalogue.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import type { StageContext } from '../../runner/stages/stage.ts'
import { openStore, type Store } from '../../runner/store/store.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const benchmark = { ...quickstart, training: { ...quickstart.training, epochs: 1, batchSize: 64 } }
const data = dataLoader({ directories: [], cache: '' })
const MASK = 'mask.safetensors'
const WEIGHTS = 'weights.safetensors'

let home: string
let store: Store
let original: StageResult

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  store = openStore(home)
  original = (await runStage((await planned('salun', {}))[0]!.spec, context())).result
})
afterAll(() => rm(home, { recursive: true }))

const context = (changes: Partial<StageContext> = {}): StageContext => ({
  store,
  data,
  inputs: async () => original.artifacts,
  threads: 1,
  signal: new AbortController().signal,
  onProgress: () => {},
  log: () => {},
  ...changes,
})

function planned(id: string, own: Record<string, unknown>) {
  const method = methods.get(id)!
  // IU takes one step, not passes.
  const few = id === 'iu' ? {} : { epochs: 1 }
  const params = method.on.classification!.params.parse({ ...few, ...own }) as Record<string, unknown>
  return planRun(benchmark, plannable(id, method), params, 0)
}

async function unlearned(id: string, own: Record<string, unknown>, changes: Partial<StageContext> = {}) {
  const stage = (await planned(id, own)).find(({ spec }) => spec.kind === 'unlearn')!
  return (await runStage(stage.spec, context(changes))).result.artifacts
}

const fileOf = ({ sha256 }: { sha256: string }) => store.get(sha256)
const tensorsOf = async (artifacts: StageResult['artifacts']) =>
  readSafetensors(await fileOf(artifacts[WEIGHTS]!)).tensors

test('the bits have the density that was asked for, with either way of freezing the same bits', async () => {
  const density = 0.3
  const hard = await unlearned('salun', { density, freeze: 'hard' })
  const soft = await unlearned('salun', { density, freeze: 'gradient' })
  expect(soft[MASK]).toEqual(hard[MASK])
  expect(soft[WEIGHTS]).not.toEqual(hard[WEIGHTS])
  const bytes = await fileOf(hard[MASK]!)
  const { free, total } = countFree(bytes)
  // As in the paper's code: int(density * N), of all N parameters.
  expect(free).toBe(Math.floor(density * total))
  const [before, after] = [await tensorsOf(original.artifacts), await tensorsOf(hard)]
  const mask = decodeMask(bytes)
  expect(total).toBe(mask.reduce((sum, { name }) => sum + before.get(name)!.data.length, 0))
  let [moved, outside] = [0, 0]
  for (const { name, entries } of mask) {
    for (const [i, value] of (after.get(name)!.data as Float32Array).entries()) {
      if (value === before.get(name)!.data[i]) continue
      moved += 1
      if (!entries[i]) outside += 1
    }
  }
  expect(outside).toBe(0)
  expect(moved).toBeGreaterThan(free / 2)
})

test.each([
  ['ga', {}],
  ['iu', { samples: 2 }],
])('a mask that is put on %s is left as evidence too', async (id, own) => {
  const artifacts = await unlearned(id, { ...own, mask: 'random', density: 0.25 })
  const { free, total } = countFree(await fileOf(artifacts[MASK]!))
  expect(free).toBe(Math.floor(0.25 * total))
})

test('a method without a mask leaves none', async () => {
  expect(Object.keys(await unlearned('ft', {}))).toEqual([WEIGHTS])
  expect(Object.keys(await unlearned('salun', { mask: 'none' }))).toEqual([WEIGHTS])
})

test('a stage that was stopped and goes on leaves the same mask', async () => {
  const params = { mask: 'random', density: 0.5 }
  const controller = new AbortController()
  const onProgress: StageContext['onProgress'] = ({ phase }) =>
    phase.startsWith('pass') && controller.abort(new Error('cut'))
  const cut = unlearned('salun', params, { signal: controller.signal, onProgress, checkpointEveryMs: 0 })
  await expect(cut).rejects.toThrow('cut')
  const phases: string[] = []
  const continued = await unlearned('salun', params, { onProgress: ({ phase }) => phases.push(phase) })
  expect(phases).not.toContain('mask')
  const whole = await unlearned('salun', params, { force: true })
  expect(continued).toEqual(whole)
  expect(countFree(await fileOf(whole[MASK]!)).free).toBeGreaterThan(0)
})
