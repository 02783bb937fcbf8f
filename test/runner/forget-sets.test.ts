/** Forget sets that are looked for: their pieces against SciPy, the bilevel loop against trying every set, the command end to end. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readIndexList } from '../../runner/data/files/index-list.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { cappedSimplex, heaviest } from '../../runner/science/capped-simplex.ts'
import { type WorstCase, worstCase } from '../../runner/science/forget-set.ts'
import type { Kept, Trainer } from '../../runner/science/method.ts'
import { distancesTo } from '../../runner/science/tasks/classification/nearest.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { worst } from '../../runner/science/tasks/classification/worst-case.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { writeTinyBenchmark } from '../support/image-folder.ts'
import { goldenJson } from './golden.ts'

const golden = goldenJson('forget-sets/sets.json')

test.each(golden.projections as { values: number[]; sum: number; projection: number[] }[])(
  'weights of sum $sum are the nearest in [0, 1], as a quadratic program finds them',
  ({ values, sum, projection }) => {
    const found = cappedSimplex(Float64Array.from(values), sum)
    projection.forEach((weight, i) => {
      expect(found[i]).toBeCloseTo(weight, 5)
    })
  },
)

test('projected weights have their sum to rounding, and any others that have it too lie further', () => {
  const random = randomStream(0, 'projection')
  for (let trial = 0; trial < 50; trial++) {
    const values = Float64Array.from({ length: 40 }, () => 10 ** (random.integer(5) - 2) * random.normal())
    const sum = 1 + random.integer(39)
    const found = cappedSimplex(values, sum)
    expect(found.every((weight) => weight >= 0 && weight <= 1)).toBe(true)
    expect(found.reduce((total, weight) => total + weight, 0)).toBeCloseTo(sum, 9)
    expect(cappedSimplex(found, sum).every((weight, i) => Math.abs(weight - found[i]!) < 1e-12)).toBe(true)
    const distance = (weights: Float64Array) => weights.reduce((far, weight, i) => far + (weight - values[i]!) ** 2, 0)
    const other = cappedSimplex(
      Float64Array.from({ length: 40 }, () => random.normal()),
      sum,
    )
    expect(distance(found)).toBeLessThanOrEqual(distance(other))
  }
})

test('of equal weights those that come first are taken', () => {
  expect([...heaviest(Int32Array.of(2, 5, 7, 9), [1, 3, 1, 1], 3)]).toEqual([2, 5, 7])
})

test('distances are SciPy’s, of each image to the nearest of several', () => {
  const { features, to, distances } = golden.near
  const found = distancesTo(Float32Array.from(features), to, distances.length)
  distances.forEach((distance: number, i: number) => {
    expect(found[i]).toBeCloseTo(distance, 6)
  })
  expect(to.map((row: number) => found[row])).toEqual([0, 0])
})

describe('the worst case', () => {
  const items = Int32Array.of(3, 4, 6, 7, 10, 11, 12, 15)
  const known = [0.3, 0.1, 0.2, 0.05, 0.25, 0.15, 0.4, 0.35]
  /** What forgetting adds to the loss of an image. */
  const owed = [0.1, 1.5, 0.2, 2, 0.9, 0.05, 0.3, 1.2]
  const lossOf = (at: number, weight: number) => known[at]! + owed[at]! * weight

  /** A model whose losses follow from the weights that it was fine-tuned with, and what it was asked. */
  function stub() {
    const asked: string[] = []
    let factors: ArrayLike<number> | null = null
    const original = {} as Kept
    const trainer = {
      keep: () => original,
      async restore(kept: Kept) {
        expect(kept).toBe(original)
        factors = null
        asked.push('restore')
      },
      sgd: ({ learningRate, momentum, weightDecay }: Parameters<Trainer<ClassifierTypes>['sgd']>[0]) => ({
        async descend([term]: { on: ClassifierTypes['batch'] }[], span: { passes: number }) {
          expect([learningRate, momentum, weightDecay]).toEqual([1e-3, 0, 0])
          factors = term!.on.factors!
          asked.push(`descend ${span.passes}`)
          return 0
        },
      }),
      async evaluate() {
        asked.push('evaluate')
        return Float32Array.from(items, (_, at) => lossOf(at, 1 - factors![at]!))
      },
    } as unknown as Trainer<ClassifierTypes>
    return { trainer, asked }
  }

  /** Of every set of so many, that with the least sum of losses once it is forgotten. */
  function byTrying(count: number): number[] {
    const sets = Array.from({ length: 2 ** items.length }, (_, bits) =>
      [...items.keys()].filter((at) => (bits >> at) & 1),
    ).filter(({ length }) => length === count)
    const total = (set: number[]) => set.reduce((sum, at) => sum + lossOf(at, 1), 0)
    return sets.reduce((best, set) => (total(set) < total(best) ? set : best)).map((at) => items[at]!)
  }

  const find = async (count: number, options: Partial<WorstCase> = {}, { easiest = false, seed = 0 } = {}) => {
    const { trainer, asked } = stub()
    const random = randomStream(seed, 'test')
    const setting = { ...worstCase.parse(options), easiest, random, onRound: () => {} }
    const { list } = await worst({ trainer, items, count, batchSize: 4 }, setting)
    return { list: [...list], asked }
  }

  test.each([1, 3, 5])('is the set of %i that trying every set finds, whatever it begins with', async (count) => {
    for (const seed of [0, 1, 2, 3])
      expect((await find(count, { rounds: 40, weightRate: 0.3 }, { seed })).list).toEqual(byTrying(count))
  })

  test('reversed it ends where no image that is kept has a larger loss than one that is forgotten', async () => {
    for (const seed of [0, 1, 2, 3]) {
      const { list } = await find(3, { rounds: 40, weightRate: 0.3 }, { easiest: true, seed })
      const losses = (chosen: boolean) =>
        [...items.keys()].flatMap((at) => (list.includes(items[at]!) === chosen ? lossOf(at, chosen ? 1 : 0) : []))
      expect(Math.min(...losses(true))).toBeGreaterThanOrEqual(Math.max(...losses(false)))
    }
  })

  test('every round goes from the original over its passes to the losses that are left', async () => {
    const { asked } = await find(3, { rounds: 2, passes: 7 })
    expect(asked).toEqual(['restore', 'descend 7', 'evaluate', 'restore', 'descend 7', 'evaluate'])
  })

  test('a rate as small as the released code’s keeps the set that it began with', async () => {
    const began = [...randomStream(0, 'test').shuffle(items).subarray(0, 3)].sort((a, b) => a - b)
    expect((await find(3, { weightRate: 0.01 })).list).toEqual(began)
  })
})

describe('palimpsest forget-set', () => {
  let folder: string
  let file: string
  beforeAll(async () => {
    folder = await temporaryFolder()
    file = await writeTinyBenchmark(folder)
  })
  afterAll(cleanUp)
  const look = (...words: string[]) =>
    cli(['forget-set', file, '--threads', '1', '--home', join(folder, 'home'), ...words])

  test('writes the nearest images, ties in the order of the dataset', { timeout: 120_000 }, async () => {
    // Image 3 of each class is the same picture; the training set has them at 3, 15 and 27.
    const out = join(folder, 'near.txt')
    const { code, stderr } = await look('--near', '27', '--count', '3', '--out', out)
    expect(stderr).toMatch(/Wrote 3 positions to .*: cosine distance up to /)
    expect(code).toBe(0)
    expect(await readFile(out, 'utf8')).toBe('3\n15\n27\n')
  })

  test('writes the same worst case for the same seed, which run forgets', { timeout: 300_000 }, async () => {
    const words = ['--count', '6', '--param', 'rounds=2', '--param', 'passes=1']
    const paths = ['one.npy', 'two.npy'].map((name) => join(folder, name)) as [string, string]
    for (const path of paths) {
      const { code, stderr } = await look('--worst', ...words, '--out', path)
      expect([code, stderr]).toEqual([0, expect.stringMatching(/mean loss [\d.]+ after the last round/)])
    }
    const [one, two] = await Promise.all(paths.map((path) => readIndexList(path)))
    expect(one!.list).toHaveLength(6)
    expect(two).toEqual(one)
    const ran = ['run', file, '--method', 'retrain', '--threads', '1', '--home', join(folder, 'home')]
    const { code, stdout } = await cli([...ran, '--forget', paths[0], '--format', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout).benchmark.request).toMatchObject({ kind: 'items', count: 6, sha256: one!.sha256 })
  })

  test.each([
    ['no way', ['--count', '3'], 'expected one of --near LIST, --worst and --easiest'],
    ['two ways', ['--worst', '--near', '1', '--count', '3'], 'expected one of --near LIST, --worst and --easiest'],
    ['all of D', ['--worst', '--count', '36'], '--count: expected fewer than the 36 images of D, got 36'],
    ['an image beyond', ['--near', '3,36', '--count', '3'], '--near: expected positions from 0 to 35, got 36'],
    ['more neighbours of than', ['--near', '3,4', '--count', '1'], '--count: expected at least the 2 images of --near'],
    ['a parameter', ['--worst', '--count', '3', '--param', 'round=3'], '--worst has no parameter "round"'],
    ['its range', ['--worst', '--count', '3', '--param', 'rounds=0'], '--worst: rounds'],
    ['a parameter of none', ['--near', '3', '--count', '3', '--param', 'rounds=1'], '--param belongs to --worst'],
  ])('refuses %s', async (_, words, message) => {
    const { code, stderr } = await look(...words, '--out', join(folder, 'refused.npy'))
    expect(stderr).toContain(message)
    expect(code).toBe(2)
  })

  test('refuses an image that is held out, and says which', async () => {
    const held = join(folder, 'held.json')
    const benchmark = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(held, JSON.stringify({ ...benchmark, training: { ...benchmark.training, holdOut: 0.5 } }))
    const near = Array.from({ length: 17 }, (_, position) => position).join()
    const words = ['forget-set', held, '--near', near, '--count', '17', '--out', join(folder, 'refused.npy')]
    const { code, stderr } = await cli([...words, '--home', join(folder, 'home')])
    expect(stderr).toMatch(/--near \d+: training\.holdOut keeps this image out of D for seed 0/)
    expect(code).toBe(2)
  })
})
