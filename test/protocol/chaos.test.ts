/** Nothing is lost and nothing happens twice while everything breaks. `npm run chaos` does it with 200 runs; CHAOS_SEED repeats
 *  the choices of an earlier time. */
import { createHash, randomInt } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import type { RunStage } from '../../schema/api/run.ts'
import { artifactOf, linesOf, SCORES, scoreOf } from '../support/chaos-stage.ts'
import { cleanUp } from '../support/cli.ts'
import { type Served, startServed } from '../support/served.ts'
import { type Aftermath, METHODS, SETTINGS, SLUG, storm } from './chaos.ts'

const SEEDS = Math.ceil(Number(process.env.CHAOS_RUNS ?? 20) / METHODS.length)
const RUNS = SEEDS * METHODS.length
const RUNNERS = Number(process.env.CHAOS_RUNNERS ?? 3)
/** No more than a server takes in a row. */
const STRIKES = Math.min(5, Math.max(2, Math.ceil(RUNS / 30)))
const SEED = Number(process.env.CHAOS_SEED ?? randomInt(2 ** 31))
/** How long a lost job may wait for its next delivery. */
const AGAIN_WITHIN_MS = Number(SETTINGS.LEASE_MS) + 30_000

let server: Served
let after: Aftermath
let client: ReturnType<typeof createClient>
/** By key: runs share stages. */
const stages = new Map<string, RunStage>()
/** Keys of the stages that evaluate, by run. */
const evaluated = new Map<string, string>()

const say = (line: string) => process.stdout.write(`${line}\n`)

beforeAll(async () => {
  say(`chaos: ${RUNS} runs, ${RUNNERS} runners, CHAOS_SEED=${SEED}`)
  server = await startServed(SETTINGS)
  after = await storm({ server, seed: SEED, seeds: SEEDS, runners: RUNNERS, strikes: STRIKES, say })
  client = createClient({ server: server.url })
  for (const { id } of after.submissions.flatMap(({ runs }) => runs)) {
    const run = await apiOf(client).run(id)
    for (const stage of run.stages) stages.set(stage.key, stage)
    evaluated.set(id, run.stages.at(-1)!.key)
  }
}, 3_600_000)
afterAll(async () => {
  await server?.stop()
  await cleanUp()
})

test('every run ends as done, and no runner gives up', () => {
  for (const { runs } of after.submissions) expect(runs.map(({ state }) => state)).toEqual(Array(SEEDS).fill('done'))
  expect(after.deserted).toEqual([])
})

test('each run is on the board once', async () => {
  const { references, rows } = await apiOf(client).board(SLUG)
  const shown = [...references, ...rows]
  expect(shown.map(({ method }) => method).sort()).toEqual(METHODS.toSorted())
  for (const row of shown) {
    const { id, runs } = after.submissions.find(({ method }) => method === row.method)!
    // Retrain is also what the other submissions brought along.
    expect(row.submissions).toContain(id)
    expect(row.runs.map((run) => run.id).sort()).toEqual(runs.map((run) => run.id).sort())
    for (const metric of SCORES) {
      const { n, mean } = row.metrics[metric]!
      expect(n).toBe(SEEDS)
      const sum = runs.reduce((total, run) => total + scoreOf(evaluated.get(run.id)!, metric), 0)
      expect(mean).toBeCloseTo(sum / SEEDS, 6)
    }
    expect(Object.keys(row.metrics).sort()).toEqual(['auc-confidence', 'auc-entropy', ...SCORES].sort())
  }
})

test('every delivery is accounted for, and each job is finished once', () => {
  for (const { key, state, deliveries, lost, failed, history } of stages.values()) {
    expect(state).toBe('done')
    const count = (outcome: string) => history.filter((delivery) => delivery.outcome === outcome).length
    expect(history.map(({ attempt }) => attempt)).toEqual(Array.from({ length: deliveries }, (_, i) => i + 1))
    expect(count('done') + count('lost') + count('failed') + count('released') + count('cancelled')).toBe(deliveries)
    expect({ lost, failed }).toEqual({ lost: count('lost'), failed: count('failed') })
    expect(count('done')).toBe(1)
    expect(failed).toBe(0)
    expect(history.at(-1)!.outcome).toBe('done')
    expect(after.computations.filter((one) => one.key === key && one.done).length).toBeLessThanOrEqual(1)
  }
})

test('a runner whose disk is full gives its job back by that name and takes no other', () => {
  const all = [...stages.values()].flatMap(({ history }) => history)
  const given = all.filter(({ outcome }) => outcome === 'released')
  expect(after.full).toBeGreaterThan(0)
  expect(new Set(given.map(({ reason }) => reason))).toEqual(new Set(['interrupted']))
  // The others gave it back since the worker was away for too long.
  const byDisk = given.filter(({ message }) => message?.includes('no space left on the device (ENOSPC)'))
  const away = given.filter(({ message }) => message?.includes('the server could not be reached'))
  expect([...byDisk, ...away]).toHaveLength(given.length)
  expect(byDisk.length).toBeLessThanOrEqual(after.full)
  expect(after.stoppedByDisk).toBeGreaterThan(0)
})

test('each log and artifact is what the delivery that finished wrote', async () => {
  for (const { key, deliveries, artifacts, logLength } of stages.values()) {
    const { manifest } = await client.manifest(key)
    expect(manifest?.attempt).toBe(deliveries)
    const log = Buffer.from(await (await fetch(`${client.server}/api/v1/jobs/${key}/log`)).arrayBuffer())
    // The sum that the runner signed is over the bytes that it wrote.
    expect({ bytes: log.length, sha256: sha256Of(log) }).toEqual(manifest?.log)
    expect(log.length).toBe(logLength)
    const lines = log.toString().split('\n').slice(0, -1).map(withoutClock)
    expect(after.computations.filter((one) => one.key === key).map((one) => one.lines)).toContainEqual(lines)
    const own = lines.filter((line) => line.startsWith(key))
    if (own.length > 0) expect(own).toEqual(linesOf(key, own[0]!.split(' ')[1]!))
    else expect(lines).toEqual(['reused: this runner has computed the stage before'])

    const artifact = artifacts['chaos.bin']
    const content = artifactOf(key)
    expect(artifact).toEqual({ bytes: content.length, sha256: sha256Of(content) })
    expect(await client.digest(`/api/v1/artifacts/${artifact!.sha256}`)).toEqual(artifact)
  }
})

test('a lost job is given away again within the lease and 30 s', () => {
  const waits: number[] = []
  for (const { key, history } of stages.values()) {
    for (const [index, { outcome, leasedAt }] of history.entries()) {
      if (outcome !== 'lost') continue
      const next = Date.parse(history[index + 1]!.leasedAt)
      const signs = after.proxy.signsOfLife.get(key)?.filter((sign) => sign < next) ?? []
      const last = Math.max(Date.parse(leasedAt), ...signs)
      waits.push(next - last - outageWithin(last, next))
    }
  }
  const longest = Math.max(0, ...waits)
  const { tally } = after.proxy
  const deliveries = [...stages.values()].reduce((sum, stage) => sum + stage.deliveries, 0)
  say(
    `${RUNS} runs, ${stages.size} jobs, ${deliveries} deliveries of which ${waits.length} lost; ${after.kills} kills, ${after.full} full disks of which ${after.stoppedByDisk} ended a runner, ${after.outages.length} strikes at the worker; ${JSON.stringify(tally)}; longest until leased again ${(longest / 1000).toFixed(1)} s; ${after.seconds.toFixed(0)} s; CHAOS_SEED=${SEED}`,
  )
  expect(after.kills).toBeGreaterThan(0)
  expect(after.outages).toHaveLength(STRIKES)
  expect(longest).toBeLessThan(AGAIN_WITHIN_MS)
})

/** Of the milliseconds between two moments, those in which no worker answered. */
const outageWithin = (begin: number, end: number): number =>
  after.outages.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(end, to) - Math.max(begin, from)), 0)

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function withoutClock(line: string): string {
  expect(line).toMatch(/^\d\d:\d\d:\d\d /)
  return line.slice('00:00:00 '.length)
}
