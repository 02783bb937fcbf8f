/** `palimpsest audit`: what it computes, what it refuses before that, and what it says of rows that have no number. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { auditOf } from '../../runner/pipeline/audit.ts'
import type { Dropped } from '../../runner/pipeline/local.ts'
import { streamFrom } from '../../runner/science/stream.ts'
import type { Shadow } from '../../runner/science/tasks/classification/evidence/shadow.ts'
import { auditPicture } from '../../runner/terminal/audit-picture.ts'
import type { AuditReport } from '../../runner/terminal/audited.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { writeTinyBenchmark } from '../support/image-folder.ts'

afterAll(cleanUp)

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'

test('models of all rows forget the same images, and the same command computes nothing twice', async () => {
  const folder = await temporaryFolder()
  const path = await writeTinyBenchmark(folder)
  const [home, out] = [join(folder, 'home'), join(folder, 'report.md')]
  const words = [
    'audit',
    path,
    '--methods',
    'ft',
    '--models',
    '2',
    '--forget-seed',
    '5',
    '--threads',
    '1',
    '--home',
    home,
  ]
  const first = await cli([...words, '--json'])
  expect(first.code, first.stderr).toBe(0)
  expect(first.stderr).toContain('--models 2: rows of fewer than 64 models get no number')
  // Retrain of four seeds; original and FT of two.
  expect(first.stderr.match(/✓ (Retrain|Original|FT), seed/g)).toHaveLength(8)
  const report = JSON.parse(first.stdout) as AuditReport
  expect(report).toMatchObject({ models: 2, forget: 3, seeds: { rows: [2000, 2001], retrained: [2002, 2003] } })
  for (const { title, floor, rows } of report.metrics) {
    expect(floor).toBeNull()
    expect(rows).toEqual(
      ['retrain', 'original', 'ft'].map((row) => ({
        ...{ row, models: 2, values: null },
        why: `${title} takes at least 64 models a side, got 2: with fewer it finds equal models different`,
      })),
    )
  }
  const again = await cli([...words, '--out', out])
  expect(again.stderr).not.toMatch(/✓ (Retrain|Original|FT), seed/)
  expect(again.stdout).toContain('2 models a row (seeds 2000–2001) beside 2 retrained ones (seeds 2002–2003)')
  expect(await readFile(out, 'utf8')).toContain('No number for Retrain, Original, FT: U-LiRA takes at least 64 models')
  // What was drawn is a list like any other.
  const [list] = await readdir(join(home, 'lists'))
  const listed = await cli([...words.slice(0, 6), '--forget', join(home, 'lists', list!), ...words.slice(8)])
  expect(listed.code, listed.stderr).toBe(0)
  expect(listed.stderr).not.toMatch(/✓ (Retrain|Original|FT), seed/)
}, 120_000)

const random = streamFrom(new Uint8Array(32).fill(9))
const drawn = (count: number, shift = 0): Shadow[] =>
  Array.from({ length: count }, () => {
    const margins = (examples: number, by = 0) => Float64Array.from({ length: examples }, () => random.normal() + by)
    return {
      margins: { forget: margins(8, shift), retain: margins(4), test: margins(4) },
      accuracy: { forget: 1, retain: 1, test: 1 },
    }
  })

test('each number has its floor, drawn of as many models', () => {
  const populations = {
    rows: new Map([
      ['original', drawn(64, 2)],
      ['ft', drawn(20)],
    ]),
    retrained: { own: drawn(64), beside: drawn(64) },
  }
  const lost: Dropped = { benchmark: SLUG, method: 'ga', seed: 2007, error: new Error('the weights diverged') }
  const audited = [...auditOf(benchmarks.get(SLUG)!, populations, { dropped: [lost], reference: 'retrain', draws: 4 })]
  expect(audited.map(({ id }) => id)).toContain('neurips23')
  for (const { id, parts, floor, rows } of audited) {
    expect(floor).toMatchObject({ n: 64, draws: 4 })
    expect(Object.keys(floor!.parts)).toEqual(Object.keys(parts))
    const [retrain, ...others] = rows
    expect(retrain!.row).toBe('retrain')
    expect(others.map(({ row, why }) => [row, why])).toEqual([
      ['ga', 'came to no result with seed 2007: the weights diverged'],
      ['original', null],
      ['ft', expect.stringContaining('at least 64 models a side, got 20')],
    ])
    const [part] = Object.keys(parts) as [string]
    const away = (value: number) => Math.abs(value - floor!.parts[part]!.mean)
    expect(away(others[1]!.values![part]!), id).toBeGreaterThan(2 * away(retrain!.values![part]!))
  }
  // A band for each number, a dot for each row that has one.
  const svg = auditPicture('Audit', audited)
  const numbers = audited.reduce((sum, { parts }) => sum + Object.keys(parts).length, 0)
  expect(svg.match(/<rect/g)).toHaveLength(numbers + 1)
  expect(svg.match(/<circle/g)).toHaveLength(2 * numbers)
}, 60_000)

test.each([
  [
    'a forget set that changes with the seed',
    [],
    /D_f of seed 2000 is another than that of 2001.*--forget-seed 0.*--forget/,
  ],
  ['two forget sets', ['--forget', 'a.npy', '--forget-seed', '0'], /either --forget FILE or --forget-seed N, got both/],
  ['a report of no form', ['--out', 'report.pdf'], /--out report\.pdf: expected a file that ends in \.json or \.md/],
  ['a method of nobody', ['--methods', 'nonesuch'], /nonesuch/],
])('%s is refused before anything is computed', async (_, words, expected) => {
  const home = await temporaryFolder()
  const { code, stderr } = await cli(['audit', SLUG, '--methods', 'ft', ...words, '--home', home])
  expect(code).toBe(2)
  expect(stderr).toMatch(expected)
  expect(stderr).not.toContain('] train')
})

test('what is held out changes with the seed, and a suite is no forget set', async () => {
  const folder = await temporaryFolder()
  const path = await writeTinyBenchmark(folder)
  const tiny = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(
    path,
    JSON.stringify({ ...tiny, request: { kind: 'class', label: 'a' }, training: { ...tiny.training, holdOut: 0.25 } }),
  )
  const out = await cli(['audit', path, '--methods', 'ft', '--models', '2', '--home', join(folder, 'home')])
  expect([out.code, out.stderr]).toEqual([2, expect.stringContaining('training.holdOut keeps other images out of D')])
  const suite = await cli(['audit', 'fashion-mnist-5k.small-cnn.class-wise', '--methods', 'ft'])
  expect([suite.code, suite.stderr]).toEqual([2, expect.stringContaining('expected one benchmark, got the suite')])
})
