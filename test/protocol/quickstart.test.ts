/** `npm start` as users type it, on a home whose store has every stage already, with invented numbers: what is computed is
 *  tested elsewhere, here it is what happens around it. */
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { resolveParams } from '../../runner/commands/parts/arguments.ts'
import { FIRST_ENTRIES } from '../../runner/commands/parts/entries.ts'
import { SLUG } from '../../runner/commands/quickstart.ts'
import { deviceOf } from '../../runner/machine/device.ts'
import { benchmarks } from '../../runner/pipeline/catalogue.ts'
import { computationOf } from '../../runner/pipeline/computation.ts'
import { methods, metricNamed, plannable } from '../../runner/science/catalogue/catalogue.ts'
import { isInAvgGap } from '../../runner/science/metric.ts'
import { readTokensFile, tokensPath } from '../../runner/server/tokens.ts'
import { openStore } from '../../runner/store/store.ts'
import type { Board } from '../../schema/api/board.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { type PlannedStage, planRun } from '../../schema/plan.ts'
import type { StageResult } from '../../schema/result.ts'
import { filesOf } from '../support/artifacts.ts'
import { cleanUp, cli, startCli, temporaryFolder } from '../support/cli.ts'

afterAll(cleanUp)

/** Metrics by entry: retrain has 20 everywhere, each later entry one more. */
async function fillStore(home: string, seeds: number[]): Promise<void> {
  const store = openStore(home)
  const benchmark = benchmarks.get(SLUG)!
  for (const seed of seeds) {
    for (const [index, { method: id, params = {} }] of FIRST_ENTRIES.entries()) {
      const resolved = resolveParams(benchmark, id, params)
      const stages = await planRun(benchmark, plannable(id, methods.get(id)!), resolved, seed)
      const results = new Map<string, StageResult>()
      const inputs = async (key: string) => results.get(key)!.artifacts
      for (const stage of stages) {
        const value = 20 + index
        const artifacts: StageResult['artifacts'] = {}
        const files = await filesOf(stage.spec, { ua: value, ra: value, ta: value, mia: value })
        for (const [name, bytes] of Object.entries(files)) artifacts[name] = await store.put(bytes)
        const result = invented(stage, benchmark, value, artifacts)
        results.set(stage.key, result)
        await store.writeStage(await computationOf(stage.spec, { threads: 0, inputs }), result)
      }
    }
  }
}

const device = await deviceOf({ threads: 0 })

const invented = (
  { spec }: PlannedStage,
  { metrics: named }: Benchmark,
  value: number,
  artifacts: StageResult['artifacts'],
): StageResult => {
  const common = { device, versions: { palimpsest: '0', onnxruntime: '0' }, metrics: {}, losses: [] }
  if (spec.kind !== 'evaluate') {
    const seconds = spec.kind === 'train' ? { setUp: 1, train: 9 } : { setUp: 1, unlearn: 4 }
    return { ...common, artifacts, seconds }
  }
  const metrics = Object.fromEntries(
    named.flatMap((identity) => {
      const [id, metric] = metricNamed('classification', identity)!
      // The others are computed from the evidence.
      return isInAvgGap(metric) ? [[id, { identity, value }]] : []
    }),
  )
  return { ...common, artifacts, seconds: { setUp: 1, evaluate: 1 }, metrics }
}

test('npm start fills a board, prints it with its address and serves until Ctrl-C; a second one prints it at once', async () => {
  const home = await temporaryFolder()
  await fillStore(home, [0, 1])
  const words = ['quickstart', '--home', home, '--port', '0', '--seeds', '0,1']
  const first = startCli(words)
  await first.said('Serving until Ctrl-C.')
  const { stdout, stderr } = first.output()
  expect(stderr).toMatch(
    /✓ SalUn \(random mask\), seed 1 {2}UA 27\.00 {2}RA 27\.00 {2}TA 27\.00 {2}MIA 27\.00 {2}AUC .* {2}gap 7\.00/,
  )
  expect(stderr).toContain('Finished 18 runs in ')
  // Below the Avg. Gap stands the gap of means.
  // Retrain has 20, GA is the fourth entry and has 23, so its gap is 3 with both seeds; 5 s of work are half of 10 s.
  expect(stdout).toMatch(
    /GA +3\.00 ± 0\.00 +23\.00 ± 0\.00 .* 5\.00 +0\.500 +2\n +3\.00 +\+3\.00 +\+3\.00 +\+3\.00 +\+3\.00/,
  )
  const page = /Board: (http:\S+)/.exec(stdout)![1]!
  // Named at the start too.
  expect(stderr).toContain(`Board: ${page}`)
  const answer = await fetch(page)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toContain('random mask')
  const verified = await cli(['verify', '--board', SLUG, '--server', new URL(page).origin])
  expect(verified.stderr).toContain('Every number of the board follows from what was signed: 9 rows.')
  expect(verified.stdout).toMatch(/✓ SalUn, random mask: 2 runs, \d+ checks/)
  expect(verified.code).toBe(0)
  first.child.kill('SIGINT')
  expect((await first.ended).code).toBe(0)
  const tokens = await readTokensFile(tokensPath(home))

  const second = await startCli([...words, '--no-serve', '--json']).ended
  expect(second.code).toBe(0)
  const board = JSON.parse(second.stdout) as Board
  expect(board.references.map(({ method }) => method)).toEqual(['retrain', 'retrain-again', 'original'])
  // One submission each: nothing was submitted twice.
  expect(board.rows.map(({ submissions }) => submissions.length)).toEqual([1, 1, 1, 1, 1, 1])
  expect(board.rows.map(({ avgGap }) => avgGap?.mean)).toEqual([2, 3, 4, 5, 6, 7])
  expect(await readTokensFile(join(home, 'tokens.json'))).toEqual(tokens)
})
