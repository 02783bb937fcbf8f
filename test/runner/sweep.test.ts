/** `palimpsest sweep` as a process: what it tries, what it refuses, and that it goes on where it was killed. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openJournal } from '../../runner/store/journal.ts'
import { cleanUp, cli, startCli, temporaryFolder } from '../support/cli.ts'
import { writeTinyBenchmark } from '../support/image-folder.ts'

afterAll(cleanUp)

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'

interface Result {
  pilots: number[]
  presets: Record<string, Record<string, unknown>>
  rows: {
    method: string
    label: string
    params: Record<string, unknown>
    tuning: { trials: number; pilots: number[]; seconds: number }
  }[]
  methods: {
    method: string
    failed: number
    trials: { variant: string; gap: { mean: number } | null; error: string | null }[]
  }[]
}

const gapsOf = ({ methods }: Result) =>
  methods.map(({ method, trials }) => [method, trials.map(({ variant, gap }) => [variant, gap])])

test('a sweep that was killed goes on, and ends as one that was not', async () => {
  const folder = await temporaryFolder()
  const path = await writeTinyBenchmark(folder)
  const words = ['sweep', path, '--methods', 'ft,salun', '--trials', '3', '--threads', '1', '--json', '--home']
  const killed = startCli([...words, join(folder, 'home')])
  await killed.said(/✓ FT .*\n[\s\S]*✓ FT /)
  killed.child.kill('SIGKILL')
  expect((await killed.ended).signal).toBe('SIGKILL')
  const resumed = await cli([...words, join(folder, 'home')])
  expect(resumed.code, resumed.stderr).toBe(0)
  const [, before] = /Going on: (\d+) runs are done\./.exec(resumed.stderr)!
  // Retrain and two of FT were told of before the end.
  expect(Number(before)).toBeGreaterThanOrEqual(3)
  const whole = await cli([...words, join(folder, 'another')])
  expect(whole.stderr).not.toContain('Going on')
  const [one, other] = [resumed, whole].map(({ stdout }) => JSON.parse(stdout) as Result) as [Result, Result]
  expect(gapsOf(one)).toEqual(gapsOf(other))
  expect(one.presets).toEqual(other.presets)
  expect(one.rows[0]).toMatchObject({ method: 'ft', label: '', tuning: { trials: 3, pilots: [1000, 1001] } })
  expect(one.rows.map(({ params }) => params)).toEqual(Object.values(one.presets))
  // Retrain, and three trials of two methods, on two pilots.
  const again = await cli([...words, join(folder, 'home')])
  expect(again.stderr).toContain('Going on: 14 runs are done.')
  expect(JSON.parse(again.stdout)).toEqual(one)
}, 120_000)

test('what diverges is infinitely far, is listed, and is not computed again', async () => {
  const folder = await temporaryFolder()
  const path = await writeTinyBenchmark(folder, { presets: { ga: { epochs: 50, batchSize: 8 } } })
  const [out, picture] = [join(folder, 'presets.json'), join(folder, 'picture.svg')]
  const words = ['sweep', path, '--methods', 'ga,ft', '--param', 'ga.learningRate=10,1e-6']
  const more = ['--param', 'ft.epochs=1', '--trials', '2', '--threads', '1', '--home', join(folder, 'home')]
  const first = await cli([...words, ...more, '--out', out, '--picture', picture])
  expect(first.code, first.stderr).toBe(0)
  expect(first.stdout).toMatch(/failed {2}learningRate=10 {2}.*lower the learning rate/)
  expect(first.stdout).toMatch(/GA +learningRate=0\.000001 .*2 \(1 failed\)/)
  const { presets, rows } = JSON.parse(await readFile(out, 'utf8')) as Result
  // The benchmark's own preset stays, and what was fixed is part of the new one.
  expect(presets.ga).toEqual({ epochs: 50, batchSize: 8, learningRate: 1e-6 })
  expect(presets.ft).toEqual({ epochs: 1, learningRate: expect.any(Number) })
  expect(rows.find(({ method }) => method === 'ga')!.tuning.seconds).toBeGreaterThan(0)
  const svg = await readFile(picture, 'utf8')
  // A panel for each: of GA a dot and a cross, of FT two dots.
  expect(svg.match(/<circle/g)).toHaveLength(3)
  expect(svg.match(/<path/g)).toHaveLength(1)
  const journals = await readdir(join(folder, 'home', 'sweeps'))
  const lines = async () => (await readFile(join(folder, 'home', 'sweeps', journals[0]!), 'utf8')).split('\n')
  const before = await lines()
  const second = await cli([...words, ...more, '--jobs', '2', '--json'])
  expect(second.stderr).toContain('1 failed')
  expect(await lines()).toEqual(before)
  const { methods } = JSON.parse(second.stdout) as Result
  expect(methods.find(({ method }) => method === 'ga')!.trials.at(-1)).toMatchObject({
    gap: null,
    error: expect.stringContaining('lower the learning rate'),
  })
}, 120_000)

test('a parameter that is fixed makes a row of its own, tuned by as many trials', async () => {
  const folder = await temporaryFolder()
  const path = await writeTinyBenchmark(folder)
  const words = [
    'sweep',
    path,
    '--methods',
    'salun,salun@mask=random,salun@mask=none',
    '--trials',
    '2',
    '--threads',
    '1',
  ]
  const { code, stdout, stderr } = await cli([...words, '--pilots', '9,10', '--json', '--home', join(folder, 'home')])
  expect(code, stderr).toBe(0)
  const { presets, rows, methods } = JSON.parse(stdout) as Result
  expect(Object.keys(presets)).toEqual(['salun'])
  expect(rows.map(({ label, params, tuning }) => [label, params.mask, tuning.trials])).toEqual([
    ['', undefined, 2],
    ['mask=random', 'random', 2],
    ['mask=none', 'none', 2],
  ])
  const none = methods.find(({ trials }) => trials[0]!.variant.startsWith('mask=none'))!
  // Density does not act without a mask.
  expect(none.trials[0]!.variant).toMatch(/^mask=none, learningRate=[\d.]+$/)
}, 120_000)

test('runs that go on at once give what one after the other gives', async () => {
  const folder = await temporaryFolder()
  const path = await writeTinyBenchmark(folder, { presets: { ga: { epochs: 50, batchSize: 8 } } })
  const words = ['sweep', path, '--methods', 'ft,ga', '--param', 'ga.learningRate=10,1e-6', '--trials', '2']
  const results = ['1', '2'].map(async (jobs) => {
    const home = join(folder, `home-${jobs}`)
    const { code, stdout, stderr } = await cli([...words, '--threads', '1', '--jobs', jobs, '--home', home, '--json'])
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as Result
  })
  const [one, two] = (await Promise.all(results)) as [Result, Result]
  expect(gapsOf(two)).toEqual(gapsOf(one))
}, 120_000)

test('several values of a parameter of run are a row each, and it says so', async () => {
  const folder = await temporaryFolder()
  const path = await writeTinyBenchmark(folder)
  const words = ['run', path, '--method', 'ft', '--param', 'learningRate=0.01,0.1', '--param', 'epochs=1']
  const { code, stdout, stderr } = await cli([...words, '--home', join(folder, 'home'), '--seeds', '0'])
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('2 rows, one for each setting.')
  expect(stdout).toMatch(/^FT learningRate=0\.01 /m)
  expect(stdout).toMatch(/^FT learningRate=0\.1 /m)
  expect(stdout).not.toContain('epochs')
}, 60_000)

test.each([
  ['a pilot that a board shows', ['--methods', 'ft', '--pilots', '0,1000'], /--pilots: 0 is a seed of .*choose others/],
  [
    'a parameter of nobody',
    ['--methods', 'ft,salun', '--param', 'learningRate=1,2'],
    /expected METHOD\.name=space.*ft\.learningRate/,
  ],
  [
    'a parameter of another method',
    ['--methods', 'ft', '--param', 'ga.learningRate=1,2'],
    /ga is not among the methods: ft/,
  ],
  ['a training', ['--methods', 'original'], /original declares nothing to search/],
  ['an unknown method', ['--methods', 'ft,salum'], /no method "salum"; did you mean "salun"\?/],
  [
    'a range beyond what is taken',
    ['--methods', 'salun', '--param', 'density=0.5..9', '--trials', '4'],
    /density: expected at most 1/,
  ],
  ['too many trials', ['--methods', 'ft', '--trials', '1001'], /--trials: expected a whole number from 1 to 1000/],
  ['another sampler', ['--methods', 'ft', '--sampler', 'sobol'], /Allowed choices are halton, random/],
])('%s is refused before anything is computed', async (_, words, message) => {
  const { code, stderr } = await cli(['sweep', SLUG, ...words, '--home', join(await temporaryFolder(), 'home')])
  expect(stderr).toMatch(message)
  expect(code).toBe(2)
})

test('a range in run names the command that draws from it', async () => {
  const { code, stderr } = await cli(['run', SLUG, '--method', 'ft', '--param', 'learningRate=0.01..0.1'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('`palimpsest sweep --trials` draws from ranges')])
})

test('images have no gap to be tuned by', async () => {
  const { code, stderr } = await cli(['sweep', 'fashion-mnist-5k-16.ddpm-unet.class-0', '--methods', 'all'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('no gap can be tuned by')])
})

test('a submission quotes the file of a sweep, which is checked before anything is sent', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'presets.json')
  const words = ['submit', SLUG, '--method', 'salun', '--tuning', file, '--server', 'http://127.0.0.1:1']
  const refused = async () => {
    const { code, stderr } = await cli(words, { PALIMPSEST_TOKEN: 'pal_submitter_x' })
    return [code, stderr]
  }
  expect(await refused()).toEqual([2, expect.stringContaining('there is no such file or folder')])
  const row = { method: 'ft', label: '', tuning: { trials: 7, pilots: [1000], seconds: 3 } }
  await writeFile(file, JSON.stringify({ rows: [row] }))
  expect(await refused()).toEqual([2, expect.stringContaining('with "salun" among its "rows"')])
  await writeFile(file, JSON.stringify({ rows: [{ ...row, method: 'salun' }] }))
  // What is left to be wrong is the server.
  expect(await refused()).toEqual([1, expect.stringContaining('127.0.0.1:1')])
}, 60_000)

test('the space that a method declares is listed', async () => {
  const { stdout } = await cli(['list', 'methods', 'salun'])
  expect(stdout).toContain('searched by a sweep: learningRate=1e-3..1e-1, density=0.1..0.9')
  const { methods } = JSON.parse((await cli(['list', '--json'])).stdout)
  expect(methods.find(({ id }: { id: string }) => id === 'ssd').search).toEqual({
    classification: { alpha: '1..50', lambda: '0.1..2' },
  })
})

test('a journal whose last line was cut is read, and goes on', async () => {
  const path = join(await temporaryFolder(), 'journal.jsonl')
  const shape = z.object({ n: z.int() })
  await writeFile(path, '{"n":1}\n{"n":2')
  const journal = await openJournal(path, shape)
  journal.add({ n: 3 })
  expect(journal.entries).toEqual([{ n: 1 }, { n: 3 }])
  expect((await openJournal(path, shape)).entries).toEqual([{ n: 1 }, { n: 3 }])
})
