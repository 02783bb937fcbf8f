/** Re-scoring what lies in a home: the command over stages that were really computed, and its parts over made-up ones. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { findEvaluations, rescoreStage } from '../../runner/pipeline/rescore.ts'
import { openScoring, type ScoreOutcome, type Scoring } from '../../runner/pipeline/scoring.ts'
import { encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import { openStore } from '../../runner/store/store.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { device } from '../support/probe.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const quickstart = benchmarks.get(SLUG)!
const EVIDENCE = 'evidence.safetensors'

const scorings: Scoring[] = []
afterEach(async () => {
  for (const scoring of scorings.splice(0)) await scoring.close()
})
afterAll(cleanUp)

const never = new AbortController().signal
function scoringOf(home: string, signal: AbortSignal = never) {
  const scoring = openScoring({ home, threads: 2, signal })
  scorings.push(scoring)
  return scoring
}

/** All of class 0, so many wrong. */
function answers(count: number, wrong: number) {
  const logits = Float32Array.from({ length: 2 * count }, (_, i) =>
    (i % 2 === 0) === Math.floor(i / 2) < wrong ? -1 : 1,
  )
  return { logits, labels: new Uint8Array(count) }
}

interface Made {
  benchmark?: Benchmark
  seed?: number
  metrics?: StageResult['metrics']
  wrong?: number
}

/** An evaluate stage with evidence, of whose D_f `wrong` of 5 are. */
async function make(home: string, { benchmark = quickstart, seed = 0, metrics = {}, wrong = 1 }: Made = {}) {
  const store = openStore(home)
  const stages = await planRun(benchmark, { id: 'retrain', version: 1, trainsOn: 'retain' }, {}, seed)
  const { key, spec } = stages.at(-1)!
  const sets = { forget: answers(5, wrong), retain: answers(8, 0), test: answers(8, 2) }
  const ref = await store.put(encodeEvidence({ classes: 2, forgottenClass: null, ...sets }))
  const rest = { seconds: { setUp: 0 }, device, versions: {}, losses: [] }
  await store.writeStage(key, { artifacts: { [EVIDENCE]: ref }, metrics, ...rest }, spec)
  return { store, key, ref }
}

test('a value that a real evaluation got wrong is corrected, and damaged evidence is named', async () => {
  const home = await temporaryFolder()
  const file = join(home, 'benchmark.json')
  const training = { ...quickstart.training, epochs: 1 }
  await writeFile(file, JSON.stringify({ ...quickstart, slug: 'tiny', training, presets: {} }))
  const ran = await cli(['run', file, '--method', 'retrain', '--seeds', '0', '--home', home])
  expect(ran.code).toBe(0)
  const store = openStore(home)
  const { evaluations, nameless } = await findEvaluations(store, [quickstart])
  expect([evaluations.length, nameless]).toEqual([1, 0])
  const { key } = evaluations[0]!
  const right = (await store.readStage(key))!
  const { ua } = right.metrics
  await store.writeStage(key, { ...right, metrics: { ...right.metrics, ua: { ...ua!, value: ua!.value + 3 } } })

  const words = ['rescore', file, '--home', home]
  const dry = await cli([...words, '--dry-run'])
  expect(dry.stderr).toMatch(/Scored 1 evaluation in .*: 1 value would change\./)
  expect((await store.readStage(key))!.metrics.ua!.value).toBe(ua!.value + 3)
  const { stdout, code } = await cli(words)
  expect(stdout).toMatch(/ua\/accuracy@1 +0 +1 +3\.0000/)
  expect(code).toBe(0)
  expect(await store.readStage(key)).toEqual(right)
  const again = await cli([...words, '--json'])
  expect(JSON.parse(again.stdout)).toMatchObject({ evaluations: 1, changes: [], problems: [], dryRun: false })
  // What was computed in the first place is reused as before.
  expect((await cli(['run', file, '--method', 'retrain', '--seeds', '0', '--home', home])).stderr).toContain(
    '(2 reused)',
  )

  const { sha256 } = right.artifacts[EVIDENCE]!
  const path = join(home, 'objects', sha256.slice(0, 2), sha256)
  await writeFile(path, (await readFile(path)).fill(7, 100, 200))
  const damaged = await cli(words)
  expect(damaged.stderr).toMatch(new RegExp(`${key}: .*the file is damaged`))
  expect(damaged.stderr).toContain('1 evaluation of 1 could not be scored in full')
  expect(damaged.code).toBe(1)
})

describe('evaluations of a home', () => {
  test('belong to a benchmark whatever the seed, and not to one of another request', async () => {
    const home = await temporaryFolder()
    await make(home, { seed: 3 })
    const request = { kind: 'random' as const, fraction: 0.5 }
    const other = await make(home, { benchmark: { ...quickstart, request }, seed: 4 })
    const { store } = other
    const keys = async (benchmark: Benchmark) =>
      (await findEvaluations(store, [benchmark])).evaluations.map(({ key }) => key)
    expect(await keys({ ...quickstart, request })).toEqual([other.key])
    expect(await keys(quickstart)).toHaveLength(1)
    expect(await keys({ ...quickstart, model: { ...quickstart.model, params: { width: 9 } } })).toEqual([])
  })

  test('are counted where their file does not say what they are', async () => {
    const home = await temporaryFolder()
    const { store, key } = await make(home)
    const path = join(home, 'stages', `${key}.json`)
    const { spec: _, ...old } = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(path, JSON.stringify(old))
    expect(await findEvaluations(store, [quickstart])).toMatchObject({ evaluations: [], nameless: 1 })
    expect(await store.readStage(key)).not.toBeNull()
  })

  test('are not asked for metrics that this release does not have', async () => {
    const home = await temporaryFolder()
    const { store } = await make(home)
    const metrics = ['ua/accuracy@1', 'mia/entropy@7']
    const found = await findEvaluations(store, [{ ...quickstart, metrics }])
    expect(found.unknown).toEqual(['mia/entropy@7'])
    expect(found.evaluations[0]?.identities).toEqual(['ua/accuracy@1'])
  })
})

test('another version of a metric stands beside the old one, which the file keeps', async () => {
  const home = await temporaryFolder()
  const old = { ua: { identity: 'ua/accuracy@0', value: 77 }, mia: { identity: 'mia/svc-confidence@1', value: -1 } }
  const { store, key } = await make(home, { metrics: old })
  const { evaluations } = await findEvaluations(store, [quickstart])
  const scoring = scoringOf(home)
  const { changes } = await rescoreStage(evaluations[0]!, { store, scoring, signal: never, dryRun: false })
  // One of five is wrong; the first value under this identity.
  expect(changes).toContainEqual({ key, metric: 'ua', identity: 'ua/accuracy@1', before: null, after: 20 })
  const { result, earlier } = (await store.readRecord(key))!
  expect(result.metrics.ua).toEqual({ identity: 'ua/accuracy@1', value: 20 })
  expect(earlier).toMatchObject([
    { metric: 'ua', identity: 'ua/accuracy@0', value: 77 },
    { metric: 'mia', identity: 'mia/svc-confidence@1', value: -1 },
  ])
  // Once more: nothing to say, and nothing lost.
  expect((await rescoreStage(evaluations[0]!, { store, scoring, signal: never, dryRun: false })).changes).toEqual([])
  expect((await store.readRecord(key))!.earlier).toEqual(earlier)
})

test('a value of two models is computed beside the retrain that it names; where that is gone, only it is left as it was', async () => {
  const home = await temporaryFolder()
  // Of D_f 2 of 5 are wrong, where the model has 1.
  const sets = { forget: answers(5, 2), retain: answers(8, 0), test: answers(8, 2) }
  const { sha256 } = await openStore(home).put(encodeEvidence({ classes: 2, forgottenClass: null, ...sets }))
  const identity = `tow/accuracy@1;retrain=${sha256}`
  const { store, key } = await make(home, { metrics: { tow: { identity, value: 0.5 } } })
  const named = { ...quickstart, metrics: ['ua/accuracy@1', 'tow/accuracy@1'] }
  const [evaluation] = (await findEvaluations(store, [named])).evaluations
  const scoring = scoringOf(home)
  const { changes } = await rescoreStage(evaluation!, { store, scoring, signal: never, dryRun: false })
  expect(changes).toContainEqual({ key, metric: 'tow', identity, before: 0.5, after: 0.8 })
  await store.remove(sha256)
  const found = await rescoreStage(evaluation!, { store, scoring, signal: never, dryRun: false })
  expect(found.problems.map(({ why }) => why)).toEqual([
    expect.stringMatching(new RegExp(`^${identity}: the evidence of retrain: .*${sha256}`)),
  ])
  expect((await store.readStage(key))!.metrics).toMatchObject({ ua: { value: 20 }, tow: { value: 0.8 } })
  // Without one that is named there is nothing to compare with.
  await make(home)
  expect((await findEvaluations(store, [named])).evaluations[0]?.identities).toEqual(['ua/accuracy@1'])
})

test('values of the old evidence are not written to a stage that was computed anew meanwhile', async () => {
  const home = await temporaryFolder()
  const { store, key } = await make(home)
  const { evaluations } = await findEvaluations(store, [quickstart])
  const real = scoringOf(home)
  const scoring: Scoring = {
    ...real,
    async score(order): Promise<ScoreOutcome> {
      const outcome = await real.score(order)
      await make(home, { wrong: 4, metrics: { ua: { identity: 'ua/accuracy@1', value: 80 } } })
      return outcome
    },
  }
  const found = await rescoreStage(evaluations[0]!, { store, scoring, signal: never, dryRun: false })
  expect(found.changes).toEqual([])
  expect(found.problems[0]?.why).toContain('it was computed anew meanwhile')
  expect((await store.readStage(key))!.metrics).toEqual({ ua: { identity: 'ua/accuracy@1', value: 80 } })
})

test('a stop ends all that waits with its reason, and writes nothing more', async () => {
  const home = await temporaryFolder()
  const { store, key } = await make(home)
  const [evaluation] = (await findEvaluations(store, [quickstart])).evaluations
  const stop = new AbortController()
  const scoring = scoringOf(home, stop.signal)
  const orders = Array.from({ length: 5 }, () =>
    rescoreStage(evaluation!, { store, scoring, signal: stop.signal, dryRun: false }),
  )
  stop.abort(new Error('stopped'))
  for (const order of await Promise.allSettled(orders)) expect(order).toMatchObject({ reason: { message: 'stopped' } })
  expect((await store.readStage(key))!.metrics).toEqual({})
})
