/** Metrics of two models on this machine: computed beside retrain of the same seed, kept with the stage, computed anew where retrain
 *  has other evidence. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LocalRun } from '../../runner/pipeline/local.ts'
import { benchmarkFault } from '../../runner/science/catalogue/benchmark-fault.ts'
import { closerToRetrain, ofTwoModels } from '../../runner/science/catalogue/catalogue.ts'
import { EVIDENCE } from '../../runner/science/task.ts'
import { decodeEvidence, encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import { openStore } from '../../runner/store/store.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const benchmark = {
  ...quickstart,
  slug: 'own.pairs',
  training: { ...quickstart.training, epochs: 1, batchSize: 64 },
  metrics: ['ua/accuracy@1', 'tow/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'js-retrain/softmax@1'],
  presets: {},
}

let home: string
let file: string
beforeAll(async () => {
  home = await temporaryFolder()
  file = join(home, 'pairs.json')
  await writeFile(file, JSON.stringify(benchmark))
})
afterAll(cleanUp)

interface Ran {
  runs: LocalRun[]
  summaries: { method: string; metrics: Record<string, { mean: number; gap: number | null }> }[]
}
const words = () => ['run', file, '--method', 'ft', '--param', 'epochs=1', '--seeds', '0', '--home', home]
const run = async (): Promise<Ran> => {
  const { stdout, stderr, code } = await cli([...words(), '--json'])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}
const evidenceOf = ({ stages }: LocalRun) => stages.at(-1)!.result.artifacts[EVIDENCE]!.sha256
const ofTwo = ({ metrics }: LocalRun) => Object.keys(metrics).filter((id) => ['tow', 'js-retrain'].includes(id))

test('a benchmark may name them, and Avg. Gap is not over them', () => {
  const { dataset, model } = benchmark
  const knows = {
    datasets: [dataset.id],
    architectures: () => ({ [model.id]: { params: { safeParse: () => ({}) } as never } }),
  }
  expect(benchmarkFault(benchmark, knows)).toBeNull()
  expect(closerToRetrain(benchmark)).toEqual(['ua', 'ra', 'ta'])
  expect(ofTwoModels(benchmark)).toEqual(['tow/accuracy@1', 'js-retrain/softmax@1'])
})

test('a run computes what score --retrain says of the same evidence; retrain has none, and no gap is made', async () => {
  const { runs, summaries } = await run()
  const [retrain, ft] = runs as [LocalRun, LocalRun]
  expect(runs.map(ofTwo)).toEqual([[], ['tow', 'js-retrain']])
  expect(Object.keys(ft.gaps)).toEqual(['ua', 'ra', 'ta'])
  expect(ft.avgGap).toBeCloseTo((Math.abs(ft.gaps.ua!) + Math.abs(ft.gaps.ra!) + Math.abs(ft.gaps.ta!)) / 3, 10)
  expect(ft.stages.at(-1)!.result.metrics.tow!.identity).toBe(`tow/accuracy@1;retrain=${evidenceOf(retrain)}`)
  expect(summaries[1]!.metrics.tow).toMatchObject({ mean: ft.metrics.tow, gap: null })

  const store = openStore(home)
  const [own, other] = [join(home, 'own.safetensors'), join(home, 'retrain.safetensors')]
  await writeFile(own, await store.get(evidenceOf(ft)))
  await writeFile(other, await store.get(evidenceOf(retrain)))
  const scored = JSON.parse((await cli(['score', own, '--retrain', other, '--json'])).stdout)
  expect(ft.metrics.tow).toBeCloseTo(scored.tow.value, 12)
  expect(ft.metrics['js-retrain']).toBeCloseTo(scored['js-retrain'].value, 12)
  expect(ft.metrics.tow).toBeLessThan(1)

  // What is there is read, and the same in every form.
  const table = await cli(words())
  expect(table.stdout).toMatch(/Method .*TA +ToW +JS to retrain/)
  expect(table.stdout).toContain(ft.metrics.tow!.toFixed(4))
  expect(table.stdout).toContain(
    'ToW (larger is better) and JS to retrain (smaller is better): of a row and Retrain together',
  )
  const csv = (await cli([...words(), '--format', 'csv'])).stdout
  expect(csv).toContain('TA mean,TA sd,TA gap,ToW mean,ToW sd,JS to retrain mean')
  expect(csv).toContain(String(ft.metrics.tow))
})

test('other evidence of retrain makes other values, and re-scoring on this machine covers them', async () => {
  const { runs } = await run()
  const [retrain, ft] = runs as [LocalRun, LocalRun]
  const store = openStore(home)
  const keys = await store.stageKeys()
  const records = await Promise.all(keys.map(async (key) => ({ key, record: (await store.readRecord(key))! })))
  const kept = (sha256: string) => records.find(({ record }) => record.result.artifacts[EVIDENCE]?.sha256 === sha256)!

  // A wrong value is corrected.
  const own = kept(evidenceOf(ft))
  const { tow, ...others } = own.record.result.metrics
  await store.writeStage(own.key, { ...own.record.result, metrics: { ...others, tow: { ...tow!, value: 0.5 } } })
  const rescored = await cli(['rescore', file, '--home', home, '--json'])
  expect(JSON.parse(rescored.stdout).changes).toMatchObject([{ metric: 'tow', before: 0.5, after: ft.metrics.tow }])
  expect((await run()).runs[1]!.metrics.tow).toBe(ft.metrics.tow)

  // Retrain comes to answer as the model does.
  const beside = kept(evidenceOf(retrain))
  const evidence = decodeEvidence(await store.get(evidenceOf(ft)))
  evidence.test.logits[0]! += 1e-6
  const artifacts = { ...beside.record.result.artifacts, [EVIDENCE]: await store.put(encodeEvidence(evidence)) }
  await store.writeStage(beside.key, { ...beside.record.result, artifacts })
  const again = (await run()).runs[1]!
  expect(again.metrics).toMatchObject({ tow: 1, 'js-retrain': 0 })
  expect(again.metrics.ua).toBe(ft.metrics.ua)
})
