/** Runs that share seeds, on the command line: two trainings, each unlearned twice. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { LocalRun } from '../../runner/pipeline/local.ts'
import type { LocalSummary } from '../../runner/pipeline/summarise.ts'
import { SPLIT } from '../../runner/science/task.ts'
import { WEIGHTS } from '../../runner/science/weights.ts'
import { splitFor } from '../../runner/stages/split.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'

afterAll(cleanUp)

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const SEEDS = [0, 1, 2, 3]

test('a stage splits by its split seed, whatever its own, to the bit', async () => {
  const labels = Uint8Array.from({ length: 1000 }, (_, i) => i % 10)
  const loaded = { dataset: { train: { labels }, classes: [...'abcdefghij'] } } as Parameters<typeof splitFor>[1]
  const stage = { holdOut: 0.1, request: { kind: 'random', fraction: 0.1 } } as const
  const of = (seeds: { seed: number; splitSeed?: number }) =>
    splitFor({ ...stage, ...seeds }, loaded, { places: { directories: [] } as never })
  const fixed = await of({ seed: 0 })
  for (const seed of [1, 2, 17]) {
    expect(await of({ seed, splitSeed: 0 })).toEqual(fixed)
    expect((await of({ seed })).forget).not.toEqual(fixed.forget)
  }
})

test('two runs of one training share original, retrain and D_f, and count as one', { timeout: 300_000 }, async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'nested.json')
  const definition = {
    ...quickstart,
    slug: 'nested',
    training: { ...quickstart.training, epochs: 1 },
    presets: { rl: { epochs: 1 } },
    seeds: [0, 1, 2],
    seeding: { runsPerTraining: 2, runsPerForgetSet: 2 },
  }
  await writeFile(path, JSON.stringify(definition))
  const words = ['run', path, '--method', 'rl', '--seeds', '0-3', '--threads', '1', '--home', join(folder, 'home')]
  const splits = join(folder, 'splits')
  const file = join(folder, 'result.json')
  const { code, stdout, stderr } = await cli([...words, '--save-split', splits, '--json', file])
  expect(code, stderr).toBe(0)
  // Of each training original, retrain and its evaluation; of each run unlearning and evaluation.
  expect(stderr).toContain('Finished 14 stages in ')
  expect(stdout).toContain('Seeds 0, 1, 2, 3.')
  expect(stdout).toMatch(/The 2 runs of one training seed and forget set are averaged\s+first/)

  const { runs, summaries } = JSON.parse(await readFile(file, 'utf8')) as {
    runs: LocalRun[]
    summaries: LocalSummary[]
  }
  const of = (method: string) => SEEDS.map((seed) => runs.find((run) => run.method === method && run.seed === seed)!)
  const made = (method: string, artifact: string) =>
    of(method).map(
      ({ stages }) => stages.findLast(({ result }) => result.artifacts[artifact])!.result.artifacts[artifact]!.sha256,
    )
  const [a, b, c, d] = made('retrain', WEIGHTS)
  expect([a === b, b === c, c === d]).toEqual([true, false, true])
  expect(new Set(made('rl', WEIGHTS)).size).toBe(4)
  expect(new Set(of('rl').map(({ stages }) => stages[0]!.key)).size).toBe(2)
  const sets = made('rl', SPLIT)
  expect(sets).toEqual(made('retrain', SPLIT))
  expect([sets[0] === sets[1], sets[1] === sets[2], sets[2] === sets[3]]).toEqual([true, false, true])
  const saved = await Promise.all(SEEDS.map((seed) => readFile(join(splits, `seed-${seed}`, 'forget.npy'))))
  expect([saved[0]!.equals(saved[1]!), saved[1]!.equals(saved[2]!)]).toEqual([true, false])

  const rl = summaries.find(({ method }) => method === 'rl')!
  const gaps = of('rl').map(({ avgGap }) => avgGap!)
  const [first, second] = [(gaps[0]! + gaps[1]!) / 2, (gaps[2]! + gaps[3]!) / 2]
  // Of two values, the sample standard deviation is their distance over √2.
  const spread = { mean: (first + second) / 2, sd: Math.abs(first - second) / Math.SQRT2 }
  expect(rl.avgGap).toMatchObject({ n: 2, runs: 4 })
  expect(rl.avgGap!.mean).toBeCloseTo(spread.mean, 10)
  expect(rl.avgGap!.sd).toBeCloseTo(spread.sd, 10)
  expect(rl.fractionOfRetrain).toMatchObject({ n: 2, runs: 4 })
  expect(stdout).toMatch(/RL .* 2$/m)

  const again = await cli([...words, '--format', 'json'])
  expect(again.stderr).toContain('Finished 14 stages (14 reused)')

  const tuned = await cli(['sweep', path, '--methods', 'rl', '--pilots', '5,3', '--home', join(folder, 'home')])
  expect(tuned.code).toBe(2)
  expect(tuned.stderr).toMatch(/--pilots: 3 is a seed of nested, or shares its training seed or forget set with one/)
})
