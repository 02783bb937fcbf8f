/** What `npm start -- --all` puts on its board, tuned on pictures so few that a trial takes a moment. */
import { readFile } from 'node:fs/promises'
import { afterAll, expect, test } from 'vitest'
import { tunedEntries } from '../../runner/commands/parts/entries.ts'
import { defineBenchmark } from '../../schema/benchmark.ts'
import { cleanUp, temporaryFolder } from '../support/cli.ts'
import { writeTinyBenchmark } from '../support/image-folder.ts'

afterAll(cleanUp)

test('every method and control is tuned by one budget; trainings have nothing to tune and come first', async () => {
  const folder = await temporaryFolder()
  const benchmark = defineBenchmark(JSON.parse(await readFile(await writeTinyBenchmark(folder), 'utf8')))
  const options = { trials: 1, pilots: '7', jobs: 1, threads: 1, home: await temporaryFolder() }
  const entries = await tunedEntries(benchmark, options)
  expect(entries.slice(0, 4)).toEqual(
    ['retrain', 'original', 'retrain-again', 'original-again'].map((method) => ({ method })),
  )
  const rows = entries.slice(4)
  expect(rows.length).toBeGreaterThanOrEqual(24)
  for (const { method, tuning } of rows) expect(tuning, method).toMatchObject({ trials: 1, pilots: [7] })
  const masksOf = (id: string) =>
    rows.flatMap(({ method, label, params }) => (method === id ? [[label, params!.mask ?? 'as ever']] : []))
  expect(masksOf('salun')).toEqual([
    ['', 'as ever'],
    ['mask=random', 'random'],
    ['mask=inverted', 'inverted'],
    ['mask=none', 'none'],
  ])
  expect(masksOf('ga')).toEqual([
    ['', 'as ever'],
    ['mask=saliency', 'saliency'],
    ['mask=random', 'random'],
  ])
  // As many different rows as there are: none takes the place of another.
  expect(new Set(rows.map(({ method, label }) => `${method} ${label}`)).size).toBe(rows.length)
}, 300_000)
