/** Stages of a benchmark whose model is a file: where its weights begin, where it is looked for, and what is refused first. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import proto from 'onnx-proto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSafetensors } from '../../runner/formats/safetensors.ts'
import { type LocalRun, planLocal, runLocal } from '../../runner/pipeline/local.ts'
import { pinModelFiles } from '../../runner/pipeline/model-file.ts'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { methods, plannable, REFERENCE } from '../../runner/science/catalogue/catalogue.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { openStore, type Store } from '../../runner/store/store.ts'
import { defineBenchmark } from '../../schema/benchmark.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import type { ModelRef } from '../../schema/parts/recipe.ts'
import { planRun } from '../../schema/plan.ts'
import { goldenBytes } from '../runner/golden.ts'
import { drawImages } from '../support/pictures.ts'

const { ModelProto } = proto.onnx
const CLASSES = 10
const bytes = goldenBytes('exported/conv.onnx')
const sha256 = sha256Of(bytes)
const signal = new AbortController().signal

let folder: string
let store: Store
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  store = openStore(join(folder, 'home'))
  await drawImages(join(folder, 'images'), { classes: CLASSES, perClass: 8, side: 16 })
  await writeFile(join(folder, 'conv.onnx'), bytes)
  await writeFile(join(folder, 'other.onnx'), other)
})
afterAll(() => rm(folder, { recursive: true }))

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const benchmarkWith = (model: Partial<ModelRef>) =>
  defineBenchmark({
    ...quickstart,
    dataset: { id: 'image-folder', path: join(folder, 'images') },
    request: { kind: 'random', fraction: 0.3 },
    training: { ...quickstart.training, epochs: 2, batchSize: 16, learningRate: 0.002 },
    presets: { salun: { epochs: 1, batchSize: 16 } },
    model: { id: 'onnx', params: {}, path: join(folder, 'conv.onnx'), ...model },
  })

const data = dataLoader({ directories: [], cache: '' })
const pin = (model: Partial<ModelRef>, directories: string[] = []) =>
  pinModelFiles(benchmarkWith(model), { data, places: { directories, cache: '' }, signal })
const methodOf = (id: string, params = {}) => ({ ...plannable(id, methods.get(id)!), params })

/** The same network with other weights. */
const other = (() => {
  const model = ModelProto.decode(bytes)
  for (const weight of model.graph!.initializer!)
    if (weight.name!.endsWith('weight'))
      weight.rawData = weight.rawData!.map((byte, at) => (at % 4 === 0 ? byte ^ 1 : byte))
  return ModelProto.encode(model).finish()
})()

/** Original, retrain and SalUn, with the weights of each. */
async function runAll(model: Partial<ModelRef>) {
  const { benchmark, models } = await pin(model)
  const salun = methodOf('salun', methods.get('salun')!.on.classification!.params.parse({ epochs: 1, batchSize: 16 }))
  const chosen = [methodOf('original'), salun]
  const plan = await planLocal([benchmark], { reference: methodOf(REFERENCE), methods: chosen, seeds: [0] })
  const places = { directories: [], cache: '', models }
  const context = { store, data, places, threads: 1, signal, log: () => {} }
  const runs = await runLocal(plan, context, { onBegin() {}, onProgress() {}, onEnd() {}, onRun() {} })
  const weights = async ({ stages }: LocalRun) => {
    const { tensors } = readSafetensors(await store.get(stages[0]!.result.artifacts['weights.safetensors']!.sha256))
    return new Map([...tensors].map(([name, { data }]) => [name, [...(data as Float32Array)]]))
  }
  return new Map(
    await Promise.all(runs.map(async (run) => [run.method, { run, weights: await weights(run) }] as const)),
  )
}

const held = (file: Uint8Array, name: string): number[] => {
  const { rawData } = ModelProto.decode(file).graph!.initializer!.find((each) => each.name === name)!
  return [...new Float32Array(new Uint8Array(rawData!).buffer)]
}
const distance = (a: number[], b: number[]) => Math.hypot(...a.map((each, i) => each - b[i]!)) / Math.hypot(...b)
const NAME = 'conv2.weight'
const MEASURED = ['ua', 'ra', 'ta', 'mia', 'auc-confidence', 'auc-entropy']

test('left to itself a file is an architecture: original and retrain begin with the same fresh weights', async () => {
  const found = await runAll({})
  for (const method of ['original', 'retrain', 'salun'])
    expect(Object.keys(found.get(method)!.run.metrics), method).toEqual(MEASURED)
  const [original, retrain] = [found.get('original')!, found.get('retrain')!]
  // Ten short steps away from one beginning, and far from the file.
  expect(distance(original.weights.get(NAME)!, retrain.weights.get(NAME)!)).toBeLessThan(0.5)
  expect(distance(original.weights.get(NAME)!, held(bytes, NAME))).toBeGreaterThan(1)
  expect(original.run.stages[0]!.result.losses).toHaveLength(2)
})

test('weights that never saw D are where both begin', async () => {
  const found = await runAll({ weights: 'pretrained' })
  for (const method of ['original', 'retrain']) {
    const off = distance(found.get(method)!.weights.get(NAME)!, held(bytes, NAME))
    expect(off, method).toBeGreaterThan(0)
    expect(off, method).toBeLessThan(0.3)
  }
})

test('weights that are the original are left as they are, and retrain begins anew or in a file of its own', async () => {
  const anew = await runAll({ weights: 'original' })
  expect(anew.get('original')!.weights.get(NAME)).toEqual(held(bytes, NAME))
  expect(anew.get('original')!.run.stages[0]!.result).toMatchObject({ losses: [], seconds: { train: 0 } })
  expect(distance(anew.get('retrain')!.weights.get(NAME)!, held(bytes, NAME))).toBeGreaterThan(1)
  expect(distance(anew.get('salun')!.weights.get(NAME)!, held(bytes, NAME))).toBeLessThan(0.5)
  const tuned = await runAll({ weights: 'original', initial: { path: join(folder, 'other.onnx') } })
  expect(tuned.get('original')!.weights.get(NAME)).toEqual(held(bytes, NAME))
  expect(distance(tuned.get('retrain')!.weights.get(NAME)!, held(other, NAME))).toBeLessThan(0.3)
})

test('a runner finds it by its hash, alone or in a folder, and under no other content', async () => {
  const { benchmark } = await pin({})
  const [train] = await planRun(benchmark, methodOf('original'), {}, 0)
  expect(train!.spec.model).toEqual({ id: 'onnx', params: {}, sha256 })
  const run = (directories: string[]) =>
    runStage(train!.spec, {
      store: openStore(join(folder, 'elsewhere')),
      ...{ data, places: { directories, cache: '' }, threads: 1, signal, force: true },
      ...{ inputs: async () => ({}), onProgress: () => {}, log: () => {} },
    })
  await expect(run([])).rejects.toThrow(`the model with the SHA-256 ${sha256} was not found: looked in no folder`)
  const [alone, inside, wrong] = ['alone', 'inside', 'wrong'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await mkdir(alone)
  await cp(join(folder, 'conv.onnx'), join(alone, `${sha256}.onnx`))
  await mkdir(join(inside, sha256), { recursive: true })
  await cp(join(folder, 'conv.onnx'), join(inside, sha256, 'net.onnx'))
  await cp(join(folder, 'other.onnx'), join(inside, sha256, 'another.onnx'))
  await mkdir(wrong)
  await cp(join(folder, 'other.onnx'), join(wrong, `${sha256}.onnx`))
  const weights = await Promise.all(
    [[alone], [folder, inside]].map(
      async (places) => (await run(places)).result.artifacts['weights.safetensors']!.sha256,
    ),
  )
  expect(weights[0]).toBe(weights[1])
  await expect(run([wrong])).rejects.toThrow(`expected the SHA-256 ${sha256}, got ${sha256Of(other)}`)
})

test("weights in files beside it, as PyTorch's default export leaves them, are held to hashes of their own", async () => {
  const cases = new URL('../golden/exported/cases/', import.meta.url)
  const [name, beside] = ['torch-default-export.onnx', 'torch-default-export.onnx.data']
  const place = join(folder, 'beside')
  await mkdir(place)
  for (const each of [name, beside]) await cp(new URL(each, cases), join(place, each))
  const images = join(folder, 'images')
  const on = (model: Partial<ModelRef>, directories: string[] = []) =>
    pinModelFiles(
      { ...benchmarkWith({ path: undefined, ...model }), dataset: { id: 'image-folder', path: images } },
      { data, places: { directories, cache: '' }, signal },
    )
  const path = join(place, name)
  const { benchmark } = await on({ path })
  const { sha256, external } = benchmark.model
  expect(external).toEqual({ [beside]: sha256Of(goldenBytes(`exported/cases/${beside}`)) })

  // As a runner has it: under its hash, and by what the benchmark names alone.
  const home = join(folder, 'by-hash')
  await cp(place, join(home, sha256!), { recursive: true })
  const named = { path: undefined, sha256: sha256! }
  expect((await on({ ...named, external }, [home])).benchmark.model).toEqual({ ...benchmark.model, path: undefined })
  await expect(on(named, [home])).rejects.toThrow(
    `keeps weights in ${beside}, which "external" does not name: add ${JSON.stringify(external)}`,
  )
  await expect(on({ ...named, external: { [beside]: 'a'.repeat(64) } }, [home])).rejects.toThrow(
    `${beside}: expected the SHA-256 aaaa`,
  )
  await writeFile(join(place, beside), other)
  await expect(on({ path, external })).rejects.toThrow(`got ${sha256Of(other)}: these are other weights`)
  await rm(join(place, beside))
  await expect(on({ path })).rejects.toThrow(`keeps weights in "${beside}", which must lie beside it`)
})

test('normalisation of the pixels comes before the first layer', async () => {
  const found = await runAll({ weights: 'original', normalization: { mean: [0.5], std: [0.25] } })
  const plain = await runAll({ weights: 'original' })
  const evidence = ({ run }: { run: LocalRun }) => run.stages.at(-1)!.result.artifacts['evidence.safetensors']!.sha256
  expect(evidence(found.get('original')!)).not.toBe(evidence(plain.get('original')!))
})

test('what cannot be is refused before anything is computed, in a sentence with the file', async () => {
  const path = join(folder, 'conv.onnx')
  const small = join(folder, 'small')
  await drawImages(small, { classes: CLASSES, perClass: 1, side: 8 })
  const few = join(folder, 'few')
  await drawImages(few, { classes: 3, perClass: 1, side: 16 })
  const on = (images: string, model: Partial<ModelRef> = {}) =>
    pinModelFiles(
      { ...benchmarkWith(model), dataset: { id: 'image-folder', path: images } },
      { data, places: { directories: [], cache: '' }, signal },
    )
  await expect(on(small)).rejects.toThrow(
    'model: the file takes images of [3,16,16], channels first, and those of the dataset are [3,8,8]; export it for [3,8,8]',
  )
  await expect(on(few)).rejects.toThrow('model (onnx) is configured for 10 classes, but the dataset has 3')
  await expect(on(small, { path: join(folder, 'none.onnx') })).rejects.toThrow('none.onnx: expected an ONNX file: ')
  await expect(pin({ sha256: 'a'.repeat(64) })).rejects.toThrow(`${path}: expected the SHA-256 aaaa`)
  await expect(pin({ freeze: ['nothing.weight'] })).rejects.toThrow(`${path}: expected the name of a float tensor`)
  const normalization = { mean: [0, 0], std: [1, 1] }
  await expect(pin({ normalization })).rejects.toThrow('model.normalization: expected a number for each of 3 channels')
  const vit = join(folder, 'vit.onnx')
  await writeFile(vit, goldenBytes('exported/vit.onnx'))
  await expect(pin({ weights: 'original', initial: { path: vit } })).rejects.toThrow(
    /vit\.onnx: expected \S+ as \[[\d,]+\], as the model has it, got none of that name/,
  )
})
