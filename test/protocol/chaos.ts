/** A worker and runners as real processes while the network between them breaks, runners are killed, their disks are full, and the
 *  worker, or workerd alone, is killed and has to come back by itself, until every run has ended. What happens is drawn from a seed; when it happens is up to the machine. */
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { LOCAL_FAULT_CODE } from '../../runner/words/usage.ts'
import type { Submission } from '../../schema/api/submission.ts'
import { type BreakingProxy, breakingProxy } from '../support/breaking-proxy.ts'
import { temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import type { Served } from '../support/served.ts'

export const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
/** Retrain first, so that no other submission asks for it. */
export const METHODS = ['retrain', 'original', 'ft', 'ga']
/** A runner that comes back in the same home waits until the lease of the one before has run out. */
const KILL_EVERY_MS = 4000
/** Of what happens to runners, disks that are full; the first is one. */
const FULL_SHARE = 0.25
const LOOK_EVERY_MS = 3000
/** Without a stage that ends for this long, something is stuck. */
const STALLED_MS = 120_000
const entry = resolve(import.meta.dirname, '../support/chaos-runner.ts')
const fullDisk = resolve(import.meta.dirname, '../support/full-disk.ts')

/** The worker's settings. */
export const SETTINGS = { LEASE_MS: '5000', RENEW_EVERY_MS: '1667', POLL_MS: '500', IDLE_POLL_MS: '2000' }

interface StormOptions {
  /** Started with SETTINGS. */
  server: Served
  seed: number
  /** Of each method. */
  seeds: number
  runners: number
  /** Kills of the worker, at even shares of the work. */
  strikes: number
  say(line: string): void
}

/** What one runner did about one lease. */
interface Computation {
  key: string
  lines: string[]
  done: boolean
}

export interface Aftermath {
  proxy: BreakingProxy
  submissions: Submission[]
  computations: Computation[]
  kills: number
  /** Disks that were full, and how many of these a runner met and ended by. */
  full: number
  stoppedByDisk: number
  /** While no worker answered. */
  outages: { from: number; to: number }[]
  /** Runners that ended without being killed, in the last words of each. */
  deserted: string[]
  seconds: number
}

export async function storm({ server, seed, seeds, runners, strikes, say }: StormOptions): Promise<Aftermath> {
  const begin = performance.now()
  const proxy = await breakingProxy(server.url, seed)
  const api = apiOf(createClient({ server: server.url, retryForMs: 180_000 }))
  const { submit, tokenFor, invite } = fakeRunner(server)
  const author = await tokenFor('submitter', 'chaos')
  const submissions: Submission[] = []
  for (const method of METHODS) {
    submissions.push(
      await submit(author, { benchmark: SLUG, method, seeds: Array.from({ length: seeds }, (_, i) => i) }),
    )
  }
  const fleet = await startFleet({ seed, server: proxy.url, runners, invite })

  const total = seeds * METHODS.length
  const outages: Aftermath['outages'] = []
  let gained = { stages: 0, at: performance.now() }
  try {
    for (;;) {
      await sleep(LOOK_EVERY_MS)
      const now = await Promise.all(submissions.map(({ id }) => api.submission(id)))
      const ended = now.flatMap(({ runs }) => runs).filter(({ state }) => !['queued', 'running'].includes(state)).length
      const stages = now.flatMap(({ runs }) => runs).reduce((sum, run) => sum + run.stages.done / run.stages.total, 0)
      const { requests, lostChunks, dropped, unanswered, doubled } = proxy.tally
      say(
        `${((performance.now() - begin) / 1000).toFixed(0)} s: ${ended} of ${total} runs; ${fleet.kills()} kills, ${fleet.full()} full disks, ${outages.length} strikes at the worker; of ${requests} requests ${dropped} dropped, ${unanswered} unanswered, ${doubled} doubled; ${lostChunks} log chunks lost`,
      )
      if (ended === total) break
      if (stages > gained.stages) gained = { stages, at: performance.now() }
      else if (performance.now() - gained.at > STALLED_MS) {
        throw new Error(`no stage ended for ${STALLED_MS / 1000} s; the runners last said:\n${fleet.lastWords()}`)
      }
      const struck = outages.length
      if (struck < strikes && stages / total > (struck + 1) / (strikes + 1)) {
        outages.push(await server.strike(struck % 2 === 0 ? 'workerd' : 'wrangler'))
        gained.at = performance.now()
      }
    }
  } finally {
    await fleet.stop()
    await proxy.close()
  }
  const after = await Promise.all(submissions.map(({ id }) => api.submission(id)))
  return {
    proxy,
    submissions: after,
    computations: await fleet.computations(),
    kills: fleet.kills(),
    full: fleet.full(),
    stoppedByDisk: fleet.stoppedByDisk(),
    outages,
    deserted: fleet.deserted,
    seconds: (performance.now() - begin) / 1000,
  }
}

interface Home {
  path: string
  secret: string
}

interface FleetOptions {
  seed: number
  server: string
  runners: number
  /** Makes the secret of an enrolment. */
  invite(): Promise<string>
}

/** Runners of which one is killed, or finds its disk full, now and then; in its place comes one with the same home or a new one. */
async function startFleet({ seed, server, runners, invite }: FleetOptions) {
  const random = randomStream(seed, 'kills')
  const diaries = await temporaryFolder()
  const deserted: string[] = []
  const files: string[] = []
  let [kills, full, stoppedByDisk] = [0, 0, 0]
  let over = false
  const members: { child: ChildProcess; home: Home; words: string; full: boolean }[] = []

  const start = (home: Home, place: number) => {
    const diary = join(diaries, `${files.length}.jsonl`)
    files.push(diary)
    const child = fork(entry, [], {
      execArgv: ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'],
      env: {
        ...process.env,
        CHAOS_SERVER: server,
        CHAOS_HOME: home.path,
        CHAOS_SECRET: home.secret,
        CHAOS_DIARY: diary,
        FULL_DISK: markerIn(home),
        NODE_OPTIONS: `--import=${fullDisk}`,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const member = { child, home, words: '', full: false }
    members[place] = member
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      member.words = (member.words + text).slice(-2000)
    })
    child.once('close', async (code, signal) => {
      if (over || signal === 'SIGKILL') return
      if (code === LOCAL_FAULT_CODE && member.full) {
        stoppedByDisk++
        await rm(markerIn(home), { force: true })
        start(home, place)
        return
      }
      deserted.push(`a runner ended with ${signal ?? `code ${code}`}: ${member.words}`)
      start(home, place)
    })
  }
  const newHome = async (secret: string): Promise<Home> => ({ path: await temporaryFolder(), secret })
  for (let place = 0; place < runners; place++) start(await newHome(await invite()), place)

  const killing = (async () => {
    for (;;) {
      await sleep(KILL_EVERY_MS * (0.5 + random.uniform()))
      if (over) return
      const place = random.integer(members.length)
      const member = members[place]!
      const { child, home } = member
      const enrolled = existsSync(join(home.path, 'identity.json'))
      if (enrolled && !member.full && (full === 0 || random.uniform() < FULL_SHARE)) {
        member.full = true
        full++
        await writeFile(markerIn(home), 'ENOSPC')
        continue
      }
      await kill(child)
      await rm(markerIn(home), { force: true })
      kills++
      // The worker may be away.
      const secret = random.uniform() < 0.5 ? await invite().catch(() => null) : null
      if (over) return
      start(secret ? await newHome(secret) : home, place)
    }
  })()

  return {
    deserted,
    kills: () => kills,
    full: () => full,
    stoppedByDisk: () => stoppedByDisk,
    lastWords: () => members.map(({ words }) => words).join('\n'),
    async stop() {
      over = true
      await killing
      for (const { child } of members) await kill(child)
    },
    async computations(): Promise<Computation[]> {
      return (await Promise.all(files.map(computationsIn))).flat()
    },
  }
}

/** While it is there, the disk of the home is full. */
const markerIn = ({ path }: Home) => join(path, 'full')

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await ended
}

async function computationsIn(diary: string): Promise<Computation[]> {
  const found: Computation[] = []
  const text = await readFile(diary, 'utf8').catch(() => '')
  for (const entry of text.split('\n').filter(Boolean)) {
    const { kind, key, line } = JSON.parse(entry) as { kind: 'leased' | 'log' | 'done'; key: string; line: string }
    if (kind === 'leased') found.push({ key, lines: [], done: false })
    else if (kind === 'log') found.at(-1)!.lines.push(line)
    else found.at(-1)!.done = true
  }
  return found
}
