/** Three kinds of seeds: what runs share, what they don't, and that nobody else's stages have moved. */
import { expect, test } from 'vitest'
import { benchmark as benchmarkShape } from '../../schema/benchmark.ts'
import { 'fashion-mnist-5k.small-cnn.random-10' as quickstart } from '../../schema/benchmarks/index.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { describeIssues } from '../../schema/issues.ts'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { clustersOf, type Seeding, seedingWords, seedsOf } from '../../schema/parts/seeding.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'

const salun = { id: 'salun', version: 1 }
const retrain = { id: 'retrain', version: 1, trainsOn: 'retain' as const }
const original = { id: 'original', version: 1, trainsOn: 'all' as const }
const again = { ...retrain, id: 'retrain-again', draws: 'again' }
const RUNS = [0, 1, 2, 3]

const seeded = (seeding: Partial<Seeding>, changes = {}) => benchmarkShape.parse({ ...quickstart, ...changes, seeding })
/** Of a stage of each run: which runs have the same one, such as `0 0 1 1`. */
async function shared(seeding: Partial<Seeding>, method: Parameters<typeof planRun>[1], at: number, changes = {}) {
  const plans = await Promise.all(RUNS.map((run) => planRun(seeded(seeding, changes), method, {}, run)))
  const keys = plans.map((stages) => stages.at(at)!.key)
  const different = [...new Set(keys)]
  return keys.map((key) => different.indexOf(key)).join(' ')
}

test.each([
  ['fashion-mnist-5k.small-cnn.random-10', '3c0e66d6a2e1095d'],
  ['fashion-mnist.small-cnn.random-10', 'cea5296af41112a8'],
  ['cifar10.resnet18.random-10', '49581ccb22dc35da'],
  ['fashion-mnist-5k.small-cnn.class-3', '11bdef758a553dc6'],
  ['fashion-mnist-5k-16.ddpm-unet.class-3', '21c1a24c7b562e73'],
  ['cifar10.ddpm-unet.class-3', '72993d709a196e40'],
])('%s has the stages of before', async (slug, digest) => {
  const methods = [salun, original, retrain, again]
  const plans = methods.flatMap((method) => [0, 1, 7].map((seed) => planRun(benchmarks.get(slug)!, method, {}, seed)))
  const made = (await Promise.all(plans)).flat().filter(({ spec }) => spec.kind === 'train' || spec.kind === 'unlearn')
  const keys = made.map(({ key }) => key)
  expect((await sha256Hex(canonicalJson(keys))).slice(0, 16)).toBe(digest)
})

test('training varies with a fixed forget set: retrain leaves out the same images, from other initial weights', async () => {
  const seeding = { runsPerForgetSet: 'all' as const }
  expect(RUNS.map((run) => seedsOf({ seeding: { runsPerTraining: 1, ...seeding } }, run))).toEqual(
    RUNS.map((run) => ({ training: run, forgetSet: 0, unlearning: run })),
  )
  const [train, unlearn, evaluate] = await planRun(seeded(seeding), salun, {}, 3)
  // D is all of it, whatever is forgotten, so the original is that of every other benchmark.
  expect(train?.key).toBe((await planRun(quickstart, salun, {}, 3))[0]?.key)
  expect(unlearn?.spec).toMatchObject({ seed: 3, splitSeed: 0 })
  expect(evaluate?.spec).toMatchObject({ seed: 0 })
  expect((await planRun(seeded(seeding), retrain, {}, 3))[0]?.spec).toMatchObject({ seed: 3, splitSeed: 0 })
  // With images held out D is another for each split, and the original with it.
  const training = { ...quickstart.training, holdOut: 0.1 }
  expect((await planRun(seeded(seeding, { training }), original, {}, 3))[0]?.spec).toMatchObject({ splitSeed: 0 })
})

test.each([
  ['unlearning, two runs each', { runsPerTraining: 2, runsPerForgetSet: 2 }, '0 0 1 1', '0 0 1 1', '0 0 1 1'],
  ['unlearning alone', { runsPerTraining: 'all', runsPerForgetSet: 'all' }, '0 0 0 0', '0 0 0 0', '0 1 2 3'],
  ['the forget set alone', { runsPerTraining: 'all' }, '0 0 0 0', '0 1 2 3', '0 1 2 3'],
  ['training alone', { runsPerForgetSet: 'all' }, '0 1 2 3', '0 1 2 3', '0 1 2 3'],
  ['forget sets within trainings', { runsPerTraining: 2 }, '0 0 1 1', '0 1 2 3', '0 0 1 1'],
  ['trainings within forget sets', { runsPerForgetSet: 2 }, '0 1 2 3', '0 1 2 3', '0 0 1 1'],
] as const)(
  '%s varies: originals, retrained models and clusters are shared',
  async (_, seeding, originals, retrained, clusters) => {
    expect(await shared(seeding, original, 0)).toBe(originals)
    expect(await shared(seeding, retrain, 0)).toBe(retrained)
    // What was measured of a retrained model is shared with it; every run unlearns for itself.
    expect(await shared(seeding, retrain, -1)).toBe(retrained)
    expect(await shared(seeding, salun, 1)).toBe('0 1 2 3')
    expect(RUNS.map(clustersOf(seeded(seeding))).join(' ')).toBe(clusters)
  },
)

test('samples of one retrained model are shared with it', async () => {
  const ddpm = benchmarks.get('fashion-mnist-5k-16.ddpm-unet.class-3')!
  const seeding = { runsPerTraining: 2, runsPerForgetSet: 2 }
  const keys = await Promise.all(RUNS.map((run) => planRun({ ...ddpm, seeding }, retrain, {}, run)))
  for (const kind of ['train', 'sample', 'evaluate']) {
    const found = keys.map((stages) => stages.find(({ spec }) => spec.kind === kind)!.key)
    expect([found[0] === found[1], found[1] === found[2], found[2] === found[3]], kind).toEqual([true, false, true])
  }
})

test('two ways of sharing seeds are two definitions, and none is that of before', async () => {
  const ways = [{ runsPerTraining: 2 }, { runsPerForgetSet: 2 }, { runsPerForgetSet: 'all' as const }]
  const definitions = await Promise.all([quickstart, ...ways.map((seeding) => seeded(seeding))].map(definitionOf))
  expect(new Set(definitions).size).toBe(4)
  expect(await definitionOf(quickstart)).toBe('a17c3efaffd7e34a0c1809d6c12ddecc3d1b0550f495dc4ed1d9ad5d1ce67e59')
})

test('what makes no clusters is refused', () => {
  const faultOf = (seeding: unknown) => {
    const { error } = benchmarkShape.safeParse({ ...quickstart, seeding })
    return error ? describeIssues(error, { seeding }) : 'none'
  }
  expect(faultOf({})).toMatch(/seeding: expected one of both above 1; .* leave seeding out/)
  expect(faultOf({ runsPerTraining: 1, runsPerForgetSet: 1 })).toMatch(/leave seeding out/)
  expect(faultOf({ runsPerTraining: 2, runsPerForgetSet: 3 })).toMatch(/a multiple of the other/)
  expect(faultOf({ runsPerTraining: 6, runsPerForgetSet: 3 })).toBe('none')
  expect(faultOf({ runsPerTraining: 0 })).toMatch(/seeding\.runsPerTraining/)
})

test('words say what n counts and what the figures say nothing of', () => {
  expect(seedingWords(quickstart)).toBeNull()
  expect(seedingWords(seeded({ runsPerTraining: 2, runsPerForgetSet: 2 }))).toBe(
    'The 2 runs of one training seed and forget set are averaged first: means, spreads, tests and n are over these clusters, not over runs.',
  )
  expect(seedingWords(seeded({ runsPerTraining: 4, runsPerForgetSet: 'all' }))).toMatch(
    /^The 4 runs of one training seed are averaged first.* All runs share the forget set of seed 0, and figures say nothing of others\.$/,
  )
  expect(seedingWords(seeded({ runsPerTraining: 'all' }))).toBe(
    'All runs share the training seed 0, and figures say nothing of other originals.',
  )
})
