/** A model that is a file: what a benchmark says of it, and that only its content makes keys. */
import { expect, test } from 'vitest'
import { ownDefinition } from '../../schema/api/benchmark.ts'
import { defineBenchmark } from '../../schema/benchmark.ts'
import { 'fashion-mnist-5k.small-cnn.random-10' as builtIn } from '../../schema/benchmarks/index.ts'
import { describeIssues } from '../../schema/issues.ts'
import { modelWords } from '../../schema/parts/model-file.ts'
import { type ModelRef, modelRef } from '../../schema/parts/recipe.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { generation } from '../../schema/tasks/index.ts'

const [HASH, OTHER] = ['a'.repeat(64), 'b'.repeat(64)]
const faultOf = (model: Record<string, unknown>) => {
  const { error } = modelRef.safeParse(model)
  return error ? describeIssues(error, model, ['model']) : null
}

test.each<[string, Record<string, unknown>, string | null]>([
  ['a file by its hash', { id: 'onnx', sha256: HASH }, null],
  ['a file by its path, whose hash is not known yet', { id: 'onnx', path: 'a.onnx' }, null],
  [
    'every field',
    {
      ...{ id: 'onnx', path: 'a.onnx', sha256: HASH, external: { 'a.onnx.data': OTHER, 'sub/b': OTHER }, classes: 10 },
      ...{ output: 'logits', train: ['gain'], freeze: ['table'], shape: [3, 32, 32], batchNorm: 'running' },
      ...{ weights: 'original', initial: { sha256: OTHER }, normalization: { mean: [0.5], std: [0.2] } },
    },
    null,
  ],
  ['neither path nor hash', { id: 'onnx' }, 'model.sha256: expected the SHA-256 of the file, or its path; '],
  ['a hash that is none', { id: 'onnx', sha256: 'abc' }, 'model.sha256: expected 64 lower-case hex digits'],
  [
    'a field of a file on an architecture',
    { id: 'small-cnn', sha256: HASH },
    'model.sha256: expected only of a model that is a file ("id": "onnx"), got',
  ],
  ['weights of another word', { id: 'onnx', sha256: HASH, weights: 'file' }, 'expected "pretrained" or "original"'],
  [
    'a beginning for what begins elsewhere',
    { id: 'onnx', sha256: HASH, weights: 'pretrained', initial: { sha256: OTHER } },
    'model.initial: expected only where "weights" is "original"',
  ],
  [
    'a beginning without a name',
    { id: 'onnx', sha256: HASH, weights: 'original', initial: {} },
    'model.initial.sha256: expected the SHA-256',
  ],
  [
    'means without deviations',
    { id: 'onnx', sha256: HASH, normalization: { mean: [0, 0, 0], std: [1] } },
    'model.normalization: expected as many numbers',
  ],
  [
    'a tensor that trains and stays',
    { id: 'onnx', sha256: HASH, train: ['a'], freeze: ['b', 'a'] },
    'model.freeze: expected no tensor that "train" names too',
  ],
  ...['../weights', '/etc/passwd', 'a/../../b', '..', 'a\\b', ''].map(
    (name): [string, Record<string, unknown>, string] => [
      `weights in ${JSON.stringify(name)}`,
      { id: 'onnx', sha256: HASH, external: { [name]: OTHER } },
      'expected the name of a file in the folder of the model',
    ],
  ),
])('%s', (_, model, fault) => {
  if (fault === null) expect(faultOf(model)).toBeNull()
  else expect(faultOf(model)).toContain(fault)
})

const benchmarkWith = (model: Record<string, unknown>) => defineBenchmark({ ...builtIn, model: model as ModelRef })
const keysOf = async (model: Record<string, unknown>) => {
  const stages = await planRun(benchmarkWith(model), { id: 'salun', version: 1 }, {}, 0)
  return stages.map(({ key }) => key)
}

test('stage keys and definitions follow the hashes of files, and no path', async () => {
  const original = { id: 'onnx', sha256: HASH, weights: 'original', initial: { sha256: OTHER } }
  const keys = await keysOf(original)
  const moved = { ...original, path: '/elsewhere/a.onnx', initial: { sha256: OTHER, path: 'b.onnx' } }
  expect(await keysOf(moved)).toEqual(keys)
  expect(await definitionOf(benchmarkWith(moved))).toBe(await definitionOf(benchmarkWith(original)))
  const others = [
    { ...original, sha256: OTHER },
    { ...original, external: { 'a.data': OTHER } },
    { ...original, initial: { sha256: HASH } },
    { ...original, freeze: ['table'] },
    { id: 'onnx', sha256: HASH },
  ]
  for (const other of others) expect((await keysOf(other)).filter((key) => keys.includes(key))).toEqual([])
})

test('a server is told hashes and no paths', () => {
  const own = { ...builtIn, slug: 'own.file' }
  const faults = (model: Record<string, unknown>) => {
    const value = { ...own, model }
    const { error } = ownDefinition.safeParse(value)
    return error ? describeIssues(error, value) : null
  }
  const initial = { path: 'b.onnx' }
  expect(faults({ id: 'onnx', sha256: HASH })).toBeNull()
  expect(faults({ id: 'onnx', path: 'a.onnx', sha256: HASH })).toContain('model.path: expected none')
  const all = faults({ id: 'onnx', path: 'a.onnx', weights: 'original', initial })
  for (const name of ['path', 'sha256', 'initial.path', 'initial.sha256']) expect(all).toContain(`model.${name}: `)
})

test('a judge is an architecture of the release', () => {
  const { error } = generation.part.safeParse({ judge: { model: { id: 'onnx', sha256: HASH } } })
  expect(describeIssues(error!, {})).toContain('judge.model: expected an architecture of the release, not a file')
})

test('a file is called by its hash', () => {
  expect(modelWords({ id: 'onnx', sha256: HASH })).toBe('ONNX file aaaaaaaaaaaa')
  expect(modelWords({ id: 'small-cnn' })).toBe('small-cnn')
})
