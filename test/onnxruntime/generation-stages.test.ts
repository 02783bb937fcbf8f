/** Image generation from a benchmark to metrics, stage by stage, with a very small denoiser; stopped half-way and continued. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withDigest } from '../../runner/data/digest.ts'
import { readSafetensors, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { salun } from '../../runner/science/methods/index.ts'
import { checkClasses } from '../../runner/stages/check-classes.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import type { StageContext } from '../../runner/stages/stage.ts'
import { checkpointOf } from '../../runner/store/checkpoint.ts'
import { openStore, type Store } from '../../runner/store/store.ts'
import { decodeSamples } from '../../runner/tasks/generation/sample.ts'
import { defineBenchmark } from '../../schema/benchmark.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { type PlannedStage, planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { generationOf } from '../../schema/tasks/generation.ts'

const quickstart = benchmarks.get('fashion-mnist-5k-16.ddpm-unet.class-0')!
const part = generationOf(quickstart)!
const benchmark = defineBenchmark({
  ...quickstart,
  model: {
    id: 'ddpm-unet',
    params: { channels: 4, multipliers: [1, 2], blocks: 1, attention: [], groups: 2, dropout: 0 },
  },
  training: { ...quickstart.training, epochs: 1, batchSize: 500 },
  task: {
    ...part,
    id: 'generation',
    denoising: { ...part.denoising, average: 0.9 },
    sampling: { sampler: { kind: 'ddim', steps: 4, eta: 1 }, guidance: 2, clip: false, perClass: 12 },
    judge: { ...part.judge, training: { ...part.judge.training, epochs: 2 } },
  },
})
const params = salun.on.generation!.params.parse({ steps: 6, batchSize: 16, alpha: 0.01 })
const plan = (seed = 0) => planRun(benchmark, { id: 'salun', version: salun.version }, params, seed)
const data = dataLoader({ directories: [], cache: '' })

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
})
afterAll(() => rm(home, { recursive: true }))

/** Runs stages in a store of their own; `about` may stop one. */
async function runAll(
  folder: string,
  stages: PlannedStage[],
  about: (spec: StageSpec) => Partial<StageContext> = () => ({}),
) {
  const results = new Map<string, StageResult>()
  const store = openStore(join(home, folder))
  for (const { key, spec } of stages) {
    const { result } = await runStage(spec, {
      store,
      data,
      inputs: async (key) => results.get(key)!.artifacts,
      threads: 1,
      signal: new AbortController().signal,
      onProgress: () => {},
      log: () => {},
      checkpoint: checkpointOf(store.home, key, { everyMs: 0 }),
      metrics: benchmark.metrics,
      ...about(spec),
    })
    results.set(key, result)
  }
  return { results: [...results.values()], store }
}

test('a run is train, unlearn, sample, judge and evaluate; retrain leaves out D_f and shares the judge', async () => {
  const stages = await plan()
  const of = (all: PlannedStage[]) => all.map(({ spec: { task, kind } }) => `${kind} ${task}`)
  const [measured, judged] = [['sample generation'], ['train classification', 'evaluate generation']]
  expect(of(stages)).toEqual(['train generation', 'unlearn generation', ...measured, ...judged])
  const retrain = await planRun(benchmark, { id: 'retrain', version: 1, trainsOn: 'retain' }, {}, 1)
  expect(of(retrain)).toEqual(['train generation', ...measured, ...judged])
  expect(retrain[2]!.key).toBe(stages[3]!.key)
})

describe('all stages', () => {
  let whole: Awaited<ReturnType<typeof runAll>>
  beforeAll(async () => {
    whole = await runAll('whole', await plan())
  })

  test('leave weights, their average, samples of every class, a picture and metrics', async () => {
    const [trained, unlearned, sampled, judge, evaluated] = whole.results as [
      StageResult,
      StageResult,
      StageResult,
      StageResult,
      StageResult,
    ]
    expect(Object.keys(trained.artifacts)).toEqual(['weights.safetensors', 'average.safetensors'])
    expect(Object.keys(unlearned.artifacts)).toEqual(['weights.safetensors', 'mask.safetensors'])
    expect(unlearned.seconds.mask).toBeGreaterThan(0)
    expect(unlearned.seconds.unlearn).toBeGreaterThan(0)
    expect(sampled.seconds.sample).toBeGreaterThan(0)
    expect(judge.losses).toHaveLength(2)
    const { images, labels } = decodeSamples(await whole.store.get(sampled.artifacts['samples.safetensors']!.sha256))
    expect(images).toHaveLength(120 * 16 * 16)
    expect([...labels.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
    const png = await whole.store.get(sampled.artifacts['samples.png']!.sha256)
    expect([...png.subarray(1, 4)].map((byte) => String.fromCharCode(byte)).join('')).toBe('PNG')
    expect(Object.keys(evaluated.metrics)).toEqual(['generated-ua', 'generated-ra', 'classifier-fd', 'classifier-kd'])
    expect(evaluated.metrics['generated-ua']!.identity).toMatch(
      /^ua\/judge@1;judge=[0-9a-f]{64};accuracy=\d+\.\d\d;n=12$/,
    )
    expect(evaluated.metrics['classifier-fd']!.identity).toContain('classifier-fd/small-cnn-features@1;dim=64;')
  })

  test('stopped in training, unlearning and sampling and continued, leave the same evidence', async () => {
    const stages = await plan()
    for (const kind of ['train', 'unlearn', 'sample']) {
      const stop = new AbortController()
      let stopped = false
      const about = ({ kind: running, task }: StageSpec): Partial<StageContext> => {
        if (running !== kind || task !== 'generation') return {}
        return {
          signal: stop.signal,
          onProgress({ phase, done, total }) {
            // The checkpoint of a chunk is written after its progress is told.
            if (!['training', 'unlearning', 'sampling'].includes(phase) || done < total / 2 || done === total) return
            stopped = true
            stop.abort(new Error('half-way'))
          },
        }
      }
      const outcome = await runAll('stopped', stages, about).catch((error: Error) => error.message)
      expect(stopped ? outcome : 'half-way', kind).toBe('half-way')
    }
    const continued = await runAll('stopped', stages)
    expect(continued.results.map(({ artifacts }) => artifacts)).toEqual(whole.results.map(({ artifacts }) => artifacts))
    expect(continued.results.at(-1)!.metrics).toEqual(whole.results.at(-1)!.metrics)
  })
})

describe('features of real images', () => {
  let stores = 0

  /** Evaluates the samples of `whole` once more, under another stage key for each seed, in a given store or a new one. */
  async function evaluateAgain({
    seed = 0,
    store = openStore(join(home, `again-${stores++}`)),
    judge = '',
    load = data,
  } = {}) {
    const stages = await plan()
    const { results, store: source } = await runAll('whole', stages)
    const { spec } = stages.at(-1)!
    if (spec.kind !== 'evaluate') throw new Error('expected the stage that evaluates')
    const [samples, trained] = [results[2]!.artifacts, results[3]!.artifacts]
    for (const { sha256 } of [samples['samples.safetensors']!, trained['weights.safetensors']!])
      await store.put(await source.get(sha256))
    const ref = judge
      ? { sha256: judge, bytes: trained['weights.safetensors']!.bytes }
      : trained['weights.safetensors']!
    const seen = { computed: 0, reused: 0, lines: [] as string[] }
    const { result } = await runStage(
      { ...spec, seed },
      {
        store,
        data: load,
        inputs: async (key) => (key === spec.inputs.judge ? { 'weights.safetensors': ref } : samples),
        threads: 1,
        signal: new AbortController().signal,
        // Only the loop that looks at images counts in images.
        onProgress({ phase, done, total, unit }) {
          if (phase !== 'features of real images' || done !== total) return
          if (unit === 'images') seen.computed++
          else if (unit === 'reused images') seen.reused++
        },
        log: (line) => seen.lines.push(line),
        metrics: benchmark.metrics,
      },
    )
    return { ...seen, store, results: { artifacts: result.artifacts, metrics: result.metrics } }
  }
  /** The weights of the judge, with one of them changed, in a store. */
  async function otherJudge(store: Store) {
    const judge = (await runAll('whole', await plan())).results[3]!.artifacts['weights.safetensors']!.sha256
    const { tensors, metadata } = readSafetensors(await store.get(judge))
    const [weight] = tensors.values()
    weight!.data[0] = Number(weight!.data[0]) + 1
    return (await store.put(writeSafetensors(tensors, metadata))).sha256
  }

  test('are computed once, and leave the same evidence and metrics where they are reused', async () => {
    const first = await evaluateAgain()
    expect(first).toMatchObject({ computed: 1, reused: 0 })
    const second = await evaluateAgain({ seed: 1, store: first.store })
    expect(second).toMatchObject({ computed: 0, reused: 1 })
    expect(second.lines).toContain('reused the features of 5000 real images, which were computed before')
    const alone = await evaluateAgain({ seed: 1 })
    expect(alone).toMatchObject({ computed: 1, reused: 0 })
    expect(second.results).toEqual(alone.results)
  })

  test('are computed once by two stages at the same time, and the second waits', async () => {
    const store = openStore(join(home, 'together'))
    const both = await Promise.all([evaluateAgain({ seed: 1, store }), evaluateAgain({ seed: 2, store })])
    expect(both.map(({ computed }) => computed).sort()).toEqual([0, 1])
    expect(both[0].results).toEqual(both[1].results)
    const waiting = 'waiting for another process that computes the same features of real images'
    expect(both.flatMap(({ lines }) => lines).filter((line) => line === waiting)).toHaveLength(1)
  })

  test('of a judge with other weights are others, even under the same stage key', async () => {
    const { store, results } = await evaluateAgain()
    const other = await evaluateAgain({ seed: 1, store, judge: await otherJudge(store) })
    expect(other).toMatchObject({ computed: 1, reused: 0 })
    expect(other.results.artifacts['reference.safetensors']).not.toEqual(results.artifacts['reference.safetensors'])
  })

  test('of a dataset with other images are others', async () => {
    const { store, results } = await evaluateAgain()
    const darker: typeof data = async (ref, options) => {
      const { dataset, definition } = await data(ref, options)
      const train = { ...dataset.train, images: dataset.train.images.map((byte) => byte >> 1) }
      return { definition, dataset: withDigest({ ...dataset, train }) }
    }
    const other = await evaluateAgain({ seed: 1, store, load: darker })
    expect(other).toMatchObject({ computed: 1, reused: 0 })
    expect(other.results.artifacts['reference.safetensors']).not.toEqual(results.artifacts['reference.safetensors'])
  })

  test('that were damaged are computed anew', async () => {
    const { store, results } = await evaluateAgain()
    const { sha256, bytes } = results.artifacts['reference.safetensors']!
    const path = join(store.home, 'objects', sha256.slice(0, 2), sha256)
    const flipped = await readFile(path)
    flipped[bytes - 5000]! ^= 1
    await writeFile(path, flipped)
    const second = await evaluateAgain({ seed: 1, store })
    expect(second).toMatchObject({ computed: 1, reused: 0 })
    expect(second.lines).toContain(
      'the features of real images from before are missing or damaged; computing them anew',
    )
    expect(second.results).toEqual(results)
    await store.verify(sha256)
  })
})

test('an unknown class is refused, and so is a request that is not for a class', async () => {
  const of = (request: typeof benchmark.request) =>
    planRun({ ...benchmark, request }, { id: 'salun', version: salun.version }, params, 0)
  await expect(runAll('whole', (await of({ kind: 'class', label: 10 })).slice(0, 2))).rejects.toThrow(
    'the request forgets class 10, but the dataset has classes 0 to 9: 0 (T-shirt/top), 1 (Trouser), ',
  )
  await expect(runAll('whole', (await of({ kind: 'random', fraction: 0.1 })).slice(0, 2))).rejects.toThrow(
    'image generation forgets a class',
  )
})

test('weights of another number of classes are refused by name and shape', async () => {
  const stages = await plan()
  const { spec } = stages[2]!
  if (spec.kind !== 'sample') throw new Error('expected the stage that samples')
  const wider = { ...spec, model: { ...spec.model, params: { ...spec.model.params, channels: 6 } } }
  await expect(runAll('whole', [...stages.slice(0, 2), { key: 'f'.repeat(64), spec: wider }])).rejects.toThrow(
    /weights\.safetensors: expected time\.0\.weight as F32 \[24,6\], got F32 \[16,4\]/,
  )
})

/** The first stage of a plan, with its store empty. */
const firstOf = async (changed: typeof benchmark) => {
  const stages = await planRun(changed, { id: 'salun', version: salun.version }, params, 0)
  return runAll('refused', stages.slice(0, 1))
}

test('a model configured for another number of classes is refused before anything is computed', async () => {
  const failure = firstOf({ ...benchmark, model: { ...benchmark.model, classes: 11 } })
  await expect(failure).rejects.toThrow(
    'model (ddpm-unet) is configured for 11 classes, but the dataset has 10; change model.classes to 10 or leave it out',
  )
  await expect(failure).rejects.toMatchObject({ name: 'ConfigurationError' })
  expect(await readdir(join(home, 'refused')).catch(() => [])).not.toContain('artifacts')
})

test('a judge configured for another number of classes is refused as soon as the benchmark is checked', async () => {
  const { dataset } = await data(benchmark.dataset)
  const { judge } = part
  const task = { ...benchmark.task, judge: { ...judge, model: { ...judge.model, classes: 9 } } }
  const wrong = { ...benchmark, task }
  expect(() => checkClasses(wrong, dataset)).toThrow(
    'task.judge.model (small-cnn) is configured for 9 classes, but the dataset has 10; change task.judge.model.classes to 10',
  )
  expect(() => checkClasses(benchmark, dataset)).not.toThrow()
  const right = { ...benchmark, model: { ...benchmark.model, classes: 10 } }
  expect(() => checkClasses(right, dataset)).not.toThrow()
})

test('a judge whose weights answer with another number of classes is refused with both', async () => {
  const stages = await plan()
  const { results, store } = await runAll('whole', stages)
  const { spec } = stages.at(-1)!
  if (spec.kind !== 'evaluate') throw new Error('expected the stage that evaluates')
  // The same weights with an eleventh output.
  const { tensors } = readSafetensors(await store.get(results[3]!.artifacts['weights.safetensors']!.sha256))
  const wider = new Map(tensors)
  for (const [name, { shape }] of tensors) {
    if (!name.startsWith('fc2.')) continue
    const grown = shape.map((extent) => (extent === 10 ? 11 : extent))
    const data = new Float32Array(grown.reduce((size, extent) => size * extent, 1))
    wider.set(name, { dtype: 'F32', shape: grown, data })
  }
  const judge = { 'weights.safetensors': await store.put(writeSafetensors(wider, {})) }
  const inputs = async (key: string) => (key === spec.inputs.judge ? judge : results[2]!.artifacts)
  const failure = runAll('whole', [{ key: 'e'.repeat(64), spec: { ...spec, seed: 99 } }], () => ({ inputs }))
  await expect(failure).rejects.toThrow(
    /the judge seems to be one of 11 classes, but the dataset has 10; train it on this/,
  )
  await expect(failure).rejects.toMatchObject({ name: 'InputError' })
})
