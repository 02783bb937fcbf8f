/** How long from a submission to the start of its first job on an idle runner: the real command on an otherwise idle server,
 *  then simulated runners that do what it does while idle (the same code, many in one process). Prints milliseconds. The server
 *  is `wrangler dev` on this machine, which answers several times slower than workerd alone.
 *
 *  npm run bench:wake -- [--sockets 500] [--trials 20] */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createClient } from '../../runner/agent/client.ts'
import { newNonce } from '../../runner/agent/heartbeat.ts'
import { waitForWork } from '../../runner/agent/wake.ts'
import { cleanUp, startCli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { probe } from '../support/probe.ts'
import { startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const REAL_TRIALS = 5

const { values } = parseArgs({
  options: { sockets: { type: 'string', default: '500' }, trials: { type: 'string', default: '20' } },
})
const [sockets, trials] = [Number(values.sockets), Number(values.trials)]

const server = await startServer()
const admin = fakeRunner(server)
const submitter = await admin.tokenFor('submitter', 'bench')
const token = await admin.tokenFor('runner', 'bench')

let seed = 0
/** A run whose first stage is ready at once, and the moment before it was asked for. */
async function submit() {
  const start = performance.now()
  const { id } = await admin.submit(submitter, { benchmark: SLUG, method: 'retrain', seeds: [seed++] })
  return { id, start }
}

/** From a submission to the word of a real runner that it leased the job. */
async function realTrial(home: string): Promise<number> {
  const runner = startCli(['runner', '--server', server.url, '--home', home, '--json'], {
    PALIMPSEST_ENROLMENT: await admin.invite(),
  })
  // It says so before its socket is open, and again after.
  await runner.said(/"kind":"idle"[\s\S]*"kind":"idle"/)
  await sleep(200)
  const { id, start } = await submit()
  await runner.said('"kind":"leased"')
  const ms = performance.now() - start
  await admin.post(`/api/v1/submissions/${id}/cancel`, submitter, {})
  runner.child.kill('SIGTERM')
  runner.child.kill('SIGTERM')
  await runner.ended
  return ms
}

interface Fleet {
  idle(): number
  /** The moment of the next lease. */
  leased(): Promise<number>
  /** Requests for a job so far. */
  asked(): number
  stop(): Promise<void>
}

/** Runners that lease, end the job at once, and wait again. */
function simulate(count: number): Fleet {
  const stop = new AbortController()
  const client = createClient({ server: server.url, token })
  let [idle, asked] = [0, 0]
  let onLease = (_: number) => {}
  const live = async (index: number) => {
    await sleep(index * 20, undefined, { signal: stop.signal })
    const waiting = waitForWork(client)
    try {
      for (;;) {
        asked++
        const answer = await client.lease({ probe, nonce: newNonce() }, { signal: stop.signal })
        if (answer.kind === 'job') {
          onLease(performance.now())
          waiting.leave()
          const { key, lease } = answer.job
          const end = { outcome: 'failed', reason: 'configuration', message: 'a benchmark needs no result' } as const
          await client.fail(key, lease.token, { ...end, log: null })
          continue
        }
        idle++
        await waiting.wait(answer.retryAfterMs, stop.signal).finally(() => idle--)
      }
    } finally {
      waiting.leave()
    }
  }
  const lives = Array.from({ length: count }, (_, index) => live(index).catch(() => {}))
  return {
    idle: () => idle,
    asked: () => asked,
    leased: () =>
      new Promise((done) => {
        onLease = done
      }),
    async stop() {
      stop.abort()
      await Promise.all(lives)
    },
  }
}

async function simulated(count: number): Promise<void> {
  const fleet = simulate(count)
  // Each asks twice, the second time with its socket open; now and then one asks all the same.
  while (fleet.asked() < 2 * count || fleet.idle() < 0.98 * count) await sleep(200)
  await sleep(1000)
  const times: number[] = []
  for (let trial = 0; trial < trials; trial++) {
    const leased = fleet.leased()
    const { start } = await submit()
    times.push((await leased) - start)
    await sleep(1500)
  }
  report(`${count} simulated`, times)
  await fleet.stop()
}

function report(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]!
  console.log(`${name}: median ${median.toFixed(0)} ms, longest ${sorted.at(-1)!.toFixed(0)} ms of ${times.length}`)
}

try {
  const home = await temporaryFolder()
  const times: number[] = []
  for (let trial = 0; trial < REAL_TRIALS; trial++) times.push(await realTrial(home))
  report('1 real runner', times)
  await simulated(1)
  await simulated(sockets)
} finally {
  await cleanUp()
  await server.stop()
}
