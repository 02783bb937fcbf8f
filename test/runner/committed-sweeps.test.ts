/** Presets that a benchmark says come from a sweep are those of the sweep that is committed beside it. */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'

const folder = new URL('../../docs/sweeps/', import.meta.url)
const written = z.object({
  benchmark: z.string(),
  pilots: z.array(z.int()),
  presets: z.record(z.string(), z.record(z.string(), z.unknown())),
  rows: z.array(z.object({ method: z.string(), tuning: z.object({ trials: z.int() }) })),
})
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))

test.each(files)(
  '%s has the presets of its benchmark, each by the same number of trials on seeds of no board',
  async (name) => {
    const {
      benchmark: slug,
      pilots,
      presets,
      rows,
    } = written.parse(JSON.parse(await readFile(new URL(name, folder), 'utf8')))
    expect(name).toBe(`${slug}.json`)
    const benchmark = benchmarks.get(slug)!
    expect(benchmark.presets).toEqual(presets)
    expect(new Set(rows.map(({ tuning }) => tuning.trials)).size).toBe(1)
    expect(pilots.filter((seed) => benchmark.seeds.includes(seed))).toEqual([])
  },
)
