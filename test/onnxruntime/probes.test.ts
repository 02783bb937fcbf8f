/** Probes as an evaluation makes them: of a run and of its retrain alike, the same whenever they are made, and no part of training. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { floats } from '../../runner/engine/onnx/tensor.ts'
import { readEvidence } from '../../runner/pipeline/evidence.ts'
import { type LocalRun, planLocal, runLocal } from '../../runner/pipeline/local.ts'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { methods, plannable } from '../../runner/science/catalogue/catalogue.ts'
import { countCorrect } from '../../runner/science/tasks/classification/evidence/answers.ts'
import type { Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { classification } from '../../runner/science/tasks/classification/task.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import { openStore } from '../../runner/store/store.ts'
import { checkProbes } from '../../runner/tasks/classification/probe.ts'
import { type Benchmark, benchmark as parsed } from '../../schema/benchmark.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { picturedOf } from '../../schema/classes.ts'
import { planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import type { StageOf } from '../../schema/stage.ts'
import { modelFile, type NodeSource } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
afterAll(() => rm(home, { recursive: true }))
const store = openStore(home)
const data = dataLoader({ directories: [], cache: '' })
const context = { store, data, threads: 1, signal: new AbortController().signal, log: () => {} }

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const own = { training: { ...quickstart.training, epochs: 2 }, model: { id: 'small-cnn', params: { hidden: 32 } } }
const probed = (request: object, probe: string, relearn: object): Benchmark =>
  parsed.parse({
    ...quickstart,
    ...own,
    request,
    task: { id: 'classification', probes: { relearn: { steps: 8, every: 4, ...relearn }, linear: {} } },
    metrics: ['ua/accuracy@1', 'relearn/steps-95@1', 'relearn/area@1', probe],
  })
const whole = probed({ kind: 'class', label: 1 }, 'linear-probe/class@1', {})
const some = probed({ kind: 'random', fraction: 0.05 }, 'membership-probe/auc@1', { retained: 1 })
const methodOf = (id: string) => ({ ...plannable(id, methods.get(id)!), params: {} })

type Run = Awaited<ReturnType<typeof runFrom>>

/** Retrain and original, by the stages that a run of them has. */
async function runsOf(benchmark: Benchmark) {
  const chosen = [methodOf('retrain'), methodOf('original')]
  const plan = await planLocal([benchmark], { reference: chosen[0]!, methods: chosen.slice(1), seeds: [0] })
  const quiet = { onBegin: () => {}, onProgress: () => {}, onEnd: () => {}, onRun: () => {} }
  const runs = (await runLocal(plan, context, quiet)) as LocalRun[]
  return Promise.all(
    runs.map(async ({ stages }, i) =>
      runFrom(
        benchmark,
        chosen[i]!,
        stages.map(({ result }) => result),
      ),
    ),
  )
}

async function runFrom(benchmark: Benchmark, method: ReturnType<typeof methodOf>, results: StageResult[]) {
  const spec = (await planRun(benchmark, method, {}, 0)).at(-1)!.spec as StageOf<'evaluate'>
  const [trained, { artifacts, metrics }] = results as [StageResult, StageResult]
  return { spec, trained, artifacts, metrics, evidence: await evidenceIn(artifacts) }
}

const evidenceIn = async (artifacts: StageResult['artifacts']) =>
  (await readEvidence(classification, artifacts, store)) as Evidence

test('training and unlearning of a benchmark with probes are those of one without', async () => {
  const { task: _, ...plain } = whole
  const [asked, bare] = [whole, parsed.parse({ ...plain, metrics: ['ua/accuracy@1'] })]
  const [own, other] = [await planRun(asked, methodOf('ft'), {}, 0), await planRun(bare, methodOf('ft'), {}, 0)]
  expect(own.slice(0, -1)).toEqual(other.slice(0, -1))
  expect(own.at(-1)!.key).not.toBe(other.at(-1)!.key)
})

test('a class that a model has never seen is slower to come back, and its features know it less', async () => {
  const [retrain, original] = (await runsOf(whole)) as [Run, Run]
  const { metrics: m } = retrain
  const { metrics: o } = original
  expect(m['relearn-area']!.value).toBeLessThan(o['relearn-area']!.value)
  expect(m['linear-probe']!.value).toBeLessThanOrEqual(o['linear-probe']!.value)
  // All test images; a model that cannot name the class has features that do.
  expect(retrain.evidence.probed!.logits).toHaveLength(2000 * 10)
  expect(m.ua!.value).toBe(100)
  expect(m['linear-probe']!.value).toBeGreaterThan(50)
  expect([...retrain.evidence.probed!.curve!].filter((_, i) => i % 3 === 0)).toEqual([0, 4, 8])
  expect(original.evidence.probed!.curve![1]).toBe(countCorrect(original.evidence.forget))
  for (const { spec: stage, evidence } of [retrain, original]) {
    const asked = { stage, inputs: {}, data: picturedOf(stage.dataset)!, hashes: {} }
    expect(classification.objection!(evidence, asked)).toBeNull()
  }
})

test('the same evaluation gives the same bytes, and stops when it is told to', async () => {
  const [retrain] = (await runsOf(some)) as [Run, Run]
  // 250 images in D_f, of each class fewer than there are in the test set.
  expect(retrain.evidence.probed!.membership!.folds).toHaveLength(250)
  const inputs = async () => retrain.trained.artifacts
  const anew = { ...context, inputs, onProgress: () => {}, force: true }
  const { result } = await runStage(retrain.spec, anew)
  expect(result.artifacts['evidence.safetensors']).toEqual(retrain.artifacts['evidence.safetensors'])
  const stopping = new AbortController()
  const stopped = runStage(retrain.spec, {
    ...anew,
    signal: stopping.signal,
    onProgress: ({ phase }) => phase === 'relearning D_f' && stopping.abort(new Error('enough')),
  })
  await expect(stopped).rejects.toThrow('enough')
})

test('a model that diverges while it relearns is right about nothing from there on', async () => {
  const lines: string[] = []
  const [{ trained }] = (await runsOf(some)) as [Run, Run]
  const wild = probed({ kind: 'random', fraction: 0.05 }, 'membership-probe/auc@1', { learningRate: 1e30 })
  const plan = await planRun(wild, methodOf('retrain'), {}, 0)
  const { result } = await runStage(plan.at(-1)!.spec, {
    ...context,
    ...{ inputs: async () => trained.artifacts, onProgress: () => {} },
    log: (line) => void lines.push(line),
    metrics: ['relearn/steps-95@1'],
  })
  const { curve } = (await evidenceIn(result.artifacts)).probed!
  expect([...curve!].slice(3)).toEqual([4, 0, 0, 8, 0, 0])
  expect(lines.join('\n')).toMatch(/relearning D_f: .*counts as right about nothing/)
  expect(result.metrics['relearn-steps']!.value).toBe(8)
})

test('a model of a file without features is refused before anything is trained', async () => {
  const w = floats([12, 4], uniforms(6, 48, -1, 1))
  const checked = async (end: NodeSource) => {
    const nodes: NodeSource[] = [['Flatten', ['images'], ['flat']], ['MatMul', ['flat', 'w'], ['z']], end]
    const path = join(home, 'model.onnx')
    await writeFile(path, modelFile({ opset: 17, shape: ['n', 3, 2, 2], nodes, constants: { w } }))
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    const model = { id: 'onnx', params: {}, sha256 }
    return checkProbes({ ...whole, model }, { directories: [], models: { [sha256]: path } })
  }
  await expect(checked(['Relu', ['z'], ['logits']])).rejects.toThrow(
    /^task\.probes\.linear: features need a network that ends in a linear layer.*leave it out$/,
  )
  await checked(['Identity', ['z'], ['logits']])
})
