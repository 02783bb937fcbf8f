/** How long from a submission to the start of its first job on an idle runner: the real command on an otherwise idle server,
 *  then simulated runners that do what it does while idle (the same code, many in one process). Prints milliseconds. The server
 *  is `wrangler dev` on this machine, which answers several times slower than workerd alone.
 *
 *  npm run bench:wake -- [--sockets 500] [--trials 20] [--real 5] */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createClient } from '../../runner/agent/client.ts'
import { newNonce } from '../../runner/agent/heartbeat.ts'
import { waitForWork } from '../../runner/agent/wake.ts'
import { cleanUp, startCli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { leaseRequest } from '../support/probe.ts'
import { startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '500' },
    trials: { type: 'string', default: '20' },
    /** Trials with a real runner. */
    real: { type: 'string', default: '5' },
  },
})
const [sockets, trials, real] = [Number(values.sockets), Number(values.trials), Number(values.real)]

// A laden machine would spend its time on runners that ask all the same.
const server = await startServer({ IDLE_POLL_MS: '3600000' })
const admin = fakeRunner(server)
const submitter = await admin.tokenFor('submitter', 'bench')
const token = await admin.tokenFor('runner', 'bench')

const AT_ONCE = 8

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
  /** Once all are idle. */
  begun: Promise<unknown>
  idle(): number
  /** The moment of the next lease. */
  leased(): Promise<number>
  stop(): Promise<void>
}

/** Runners that lease, end the job at once, and wait again. */
function simulate(count: number): Fleet {
  const stop = new AbortController()
  const client = createClient({ server: server.url, token })
  let idle = 0
  let onLease = (_: number) => {}
  const live = async (idleFirst: () => void) => {
    const waiting = waitForWork(client)
    let times = 0
    try {
      for (;;) {
        const options = { signal: stop.signal, retryForMs: Number.POSITIVE_INFINITY }
        const answer = await client.lease(leaseRequest(newNonce()), options)
        if (answer.kind === 'job') {
          onLease(performance.now())
          waiting.leave()
          const { key, lease } = answer
          const end = { outcome: 'failed', reason: 'configuration', message: 'a benchmark needs no result' } as const
          await client.fail(key, lease.token, { ...end, log: null })
          continue
        }
        idle++
        if (++times === 2) idleFirst()
        await waiting.wait(answer.retryAfterMs, stop.signal).finally(() => idle--)
      }
    } finally {
      waiting.leave()
    }
  }
  const lives: Promise<void>[] = []
  /** Begins with few at once. The second answer without a job comes when the socket is open. */
  const begin = async () => {
    while (lives.length < count) {
      const idle = Promise.withResolvers<void>()
      lives.push(
        live(idle.resolve).catch((error) => {
          if (!stop.signal.aborted) throw error
        }),
      )
      await idle.promise
    }
  }
  const begun = Promise.all(Array.from({ length: AT_ONCE }, begin))
  return {
    begun,
    idle: () => idle,
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
  const told = setInterval(() => console.error(`${fleet.idle()} of ${count} runners are idle`), 5000)
  await fleet.begun
  clearInterval(told)
  const times: number[] = []
  for (let trial = 0; trial < trials; trial++) {
    const leased = fleet.leased()
    const { start } = await submit()
    times.push((await leased) - start)
    console.error(`${count} runners, trial ${trial + 1} of ${trials}: ${times.at(-1)!.toFixed(0)} ms`)
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
  for (let trial = 0; trial < real; trial++) times.push(await realTrial(home))
  if (real > 0) report('1 real runner', times)
  await simulated(1)
  await simulated(sockets)
} finally {
  await cleanUp()
  await server.stop()
}
