/** A benchmark that asks for probes: its rows, and a run's page with the curve of relearning beside retrain's. */
import { expect, test } from 'vitest'
import { withProbes } from '../../runner/science/catalogue/with-probes.ts'
import type { Board } from '../../schema/api/board.ts'
import type { Run } from '../../schema/api/run.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { addBenchmark, ask, read, runner, SLUG, submit, submitter, useSubmitterAndRunner, workOff } from './support.ts'

const PROBED = `${SLUG}-probed`
addBenchmark({ ...withProbes(benchmarks.get(SLUG)!)!, slug: PROBED })

useSubmitterAndRunner()

const boardOf = async (slug: string): Promise<Board> => read(await ask(`/api/v1/benchmarks/${slug}/board`))

test('probes of a run land on the board beside those of retrain, and its page draws the curve', async () => {
  await submit(submitter, { benchmark: PROBED, method: 'retrain', seeds: [0] })
  const { runs } = await submit(submitter, { benchmark: PROBED, method: 'ft', seeds: [0] })
  // Retrain is right about 80% of D_f, the method about 95%.
  await workOff(runner, (method) => ({ ua: method === 'retrain' ? 20 : 5, ra: 100, ta: 90, mia: 10 }))
  const { columns, rows } = await boardOf(PROBED)
  const probes = columns.filter(({ id }) => ['relearn-steps', 'relearn-area', 'membership-probe'].includes(id))
  expect(probes.map(({ title, unit, inAvgGap }) => [title, unit, inAvgGap])).toEqual([
    ['Probe AUC', '%', false],
    ['Relearn area', '%', false],
    ['Relearn', 'steps', false],
  ])
  const own = rows.find(({ method }) => method === 'ft')!
  // From 95% at once, and from 80% by 1% every three steps: 95% after 45.
  expect(own.metrics['relearn-steps']!.mean).toBe(0)
  expect(own.metrics['relearn-steps']!.gap).toBeCloseTo(-45)
  expect(own.metrics['relearn-area']!.gap).toBeCloseTo(97.5 - 90, 1)
  expect(own.metrics['membership-probe']!.mean).toBe(50)

  const page = await (await ask(`/runs/${runs[0]!.id}`)).text()
  expect(page).toMatch(/While it learns D_f again, FT is right about 97\.5\d% of it; retrain of the same seed 90\.00%/)
  expect(page).toContain('<caption id="relearn-caption">Percent right after each number of steps</caption>')
  // Steps are no points.
  expect(page).not.toContain('45.00 points')
  const { reference } = await read<Run>(await ask(`/api/v1/runs/${runs[0]!.id}`))
  expect(await (await ask(`/runs/${reference}`)).text()).toContain(
    'While it learns D_f again, Retrain is right about 90.00% of it<',
  )
})

test('the page of a run without probes has no such chart', async () => {
  await submit(submitter, { method: 'retrain', seeds: [0] })
  const { runs } = await submit(submitter, { method: 'ft', seeds: [0] })
  await workOff(runner)
  expect(await (await ask(`/runs/${runs[0]!.id}`)).text()).not.toContain('relearn-chart')
})
