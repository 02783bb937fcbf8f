/** A method of one file as a stage: its bytes are part of the stage's key, its file stays with what it made, and its weights are those
 *  of the built-in method. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { openMethod } from '../../runner/sandbox/method.ts'
import { sourceOf } from '../../runner/sandbox/source.ts'
import { methods, plannable } from '../../runner/science/catalogue/catalogue.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import type { StageContext } from '../../runner/stages/stage.ts'
import { openStore, type Store } from '../../runner/store/store.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { type PlannableMethod, planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import { exampleSource } from '../support/one-file.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const benchmark = { ...quickstart, training: { ...quickstart.training, epochs: 1, batchSize: 64 } }
const data = dataLoader({ directories: [], cache: '' })
const params = { epochs: 1, learningRate: 0.01, batchSize: 256, momentum: 0.9, weightDecay: 5e-4 }

let home: string
let store: Store
let original: StageResult

const planned = (method: PlannableMethod, own: Record<string, unknown> = params) => planRun(benchmark, method, own, 0)
const unlearning = async (method: PlannableMethod, own?: Record<string, unknown>) =>
  (await planned(method, own)).find(({ spec }) => spec.kind === 'unlearn')!
const builtIn = (id: string) => plannable(id, methods.get(id)!)

/** A method of one file, whose bytes the store has. */
async function ofFile(bytes: Uint8Array): Promise<PlannableMethod> {
  const source = await sourceOf('ft.ts', bytes)
  await store.put(bytes)
  return plannable(source.id, await openMethod(source))
}

const context = (changes: Partial<StageContext> = {}): StageContext => ({
  ...{ store, data, inputs: async () => original.artifacts, threads: 1 },
  ...{ signal: new AbortController().signal, onProgress: () => {}, log: () => {} },
  ...changes,
})

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  store = openStore(home)
  original = (await runStage((await planned(builtIn('ft')))[0]!.spec, context())).result
})
afterAll(() => rm(home, { recursive: true }))

test('comes to the weights of the built-in method, and leaves its file beside them', async () => {
  const bytes = await exampleSource('ft')
  const { result } = await runStage((await unlearning(await ofFile(bytes))).spec, context())
  const { result: expected } = await runStage((await unlearning(builtIn('ft'))).spec, context())
  const { 'method.ts': file, ...artifacts } = result.artifacts
  expect(artifacts).toEqual(expected.artifacts)
  expect(result.losses).toEqual(expected.losses)
  expect(await store.get(file!.sha256)).toEqual(Buffer.from(bytes))
})

test('a changed byte is another stage; a method without a file has the key that it had', async () => {
  const bytes = new TextEncoder().encode(`${new TextDecoder().decode(await exampleSource('ft'))} `)
  const [one, other] = [await ofFile(await exampleSource('ft')), await ofFile(bytes)]
  const keys = [one, other, builtIn('ft')].map(async (method) => (await unlearning(method)).key)
  expect(new Set(await Promise.all(keys)).size).toBe(3)
  const { spec } = await unlearning(builtIn('ft'))
  expect(spec).toMatchObject({ method: { id: 'ft', version: 1, params } })
  expect(Object.keys((spec as { method: object }).method)).toEqual(['id', 'version', 'params'])
})

test('says what its file writes to the log, and fails with its own line', async () => {
  const text = `export default defineMethod({ title: 'T', summary: 'S.', on: { classification: onClassification({ params: {}, async run({ trainer }) {
    console.log('weights', trainer.parameters.length)
    trainer.parameters.none.at
  } }) } })`
  const lines: string[] = []
  const { spec } = await unlearning(await ofFile(new TextEncoder().encode(text)), {})
  const failed = runStage(spec, context({ log: (line) => lines.push(line) }))
  await expect(failed).rejects.toThrow(/^ft\.ts:3:\d+: TypeError: /)
  expect(lines.some((line) => /^ft\.ts: weights \d+$/.test(line))).toBe(true)
})
