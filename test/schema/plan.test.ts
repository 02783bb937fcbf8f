/** Stages of a submission and their keys: what shares a stage, and what has one of its own. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { 'fashion-mnist-5k.small-cnn.random-10' as benchmark } from '../../schema/benchmarks/index.ts'
import { describeIssues } from '../../schema/issues.ts'
import { canonicalJson } from '../../schema/parts/hash.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { inputsOf } from '../../schema/stage.ts'

const salun = { id: 'salun', version: 1 }
const keysOf = async (...args: Parameters<typeof planRun>) => (await planRun(...args)).map(({ key }) => key)

test('equal values have equal canonical JSON, whatever the order of their keys', () => {
  expect(canonicalJson({ b: [1, { d: 2, c: 3 }], a: null })).toBe('{"a":null,"b":[1,{"c":3,"d":2}]}')
})

test('a method trains the original, unlearns and evaluates; each stage reads the one before', async () => {
  const stages = await planRun(benchmark, salun, { epochs: 5 }, 0)
  expect(stages.map(({ spec }) => spec.kind)).toEqual(['train', 'unlearn', 'evaluate'])
  expect(stages.map(({ spec }) => inputsOf(spec))).toEqual([[], [stages[0]!.key], [stages[1]!.key]])
})

test('a stage that leaves its path is another one, and without it keys are what they were', async () => {
  const plain = await keysOf(benchmark, salun, { epochs: 5 }, 0)
  const looked = await keysOf(benchmark, salun, { epochs: 5 }, 0, { every: 'epoch' })
  expect(await keysOf(benchmark, salun, { epochs: 5 }, 0, {})).toEqual(plain)
  expect(looked.map((key, i) => key === plain[i])).toEqual([true, false, false])
})

test('two methods share the original of a seed, and no stage of another seed', async () => {
  const first = await keysOf(benchmark, salun, { epochs: 5 }, 0)
  const second = await keysOf(benchmark, { id: 'ft', version: 1 }, {}, 0)
  const other = await keysOf(benchmark, salun, { epochs: 5 }, 1)
  expect(second[0]).toBe(first[0])
  expect(second[1]).not.toBe(first[1])
  expect(other.filter((key) => first.includes(key))).toEqual([])
})

test('retrain leaves the forget set out of its training, original does not', async () => {
  const [retrain] = await planRun(benchmark, { id: 'retrain', version: 1, trainsOn: 'retain' }, {}, 0)
  const [original] = await planRun(benchmark, { id: 'original', version: 1, trainsOn: 'all' }, {}, 0)
  expect(retrain?.spec).toMatchObject({ kind: 'train', without: benchmark.request })
  expect(original?.spec).toMatchObject({ kind: 'train', without: null })
})

test('a benchmark keeps its definition under another title and loses it under another recipe', async () => {
  const definition = await definitionOf(benchmark)
  expect(await definitionOf({ ...benchmark, title: 'another', seeds: [7] })).toBe(definition)
  const training = { ...benchmark.training, epochs: benchmark.training.epochs + 1 }
  expect(await definitionOf({ ...benchmark, training })).not.toBe(definition)
})

test('issues say where, what was expected and what came', () => {
  const shape = z.strictObject({
    epochs: z.int().min(1),
    mode: z.enum(['hard', 'soft']),
    rates: z.array(z.number()).min(1),
  })
  const input = { epochs: 'x', mode: 'wet', rates: [], extra: 1 }
  const { error } = shape.safeParse(input)
  expect(describeIssues(error!, input, ['params']).split('; ').sort()).toEqual([
    'params.epochs: expected number, got "x"',
    'params.extra: unknown, remove it or check its spelling',
    'params.mode: expected "hard" or "soft", got "wet"',
    'params.rates: expected at least 1 entries, got []',
  ])
})
