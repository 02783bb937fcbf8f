/** Everything that can happen to leases, one step at a time: runners that crash, repeat themselves and use old tokens; a network
 *  that delays, doubles and loses; clocks that disagree; and requests that are interrupted between any two of their statements. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { WEIGHTS } from '../../runner/science/weights.ts'
import { engines } from '../../schema/engine.ts'
import { ApiError } from '../../schema/errors.ts'
import type { Lease } from '../../schema/protocol/lease.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { artifacts } from '../../schema/tables/artifacts.ts'
import { jobInputs } from '../../schema/tables/job-inputs.ts'
import { jobs } from '../../schema/tables/jobs.ts'
import { runJobs } from '../../schema/tables/run-jobs.ts'
import { type RunnerRow, runners } from '../../schema/tables/runners.ts'
import { runs } from '../../schema/tables/runs.ts'
import { submissions } from '../../schema/tables/submissions.ts'
import { type Database, databaseOf } from '../../worker/bindings/database.ts'
import { type Bindings, settingsOf } from '../../worker/bindings/env.ts'
import { finishJob } from '../../worker/queries/jobs/end-job.ts'
import { endExpiredLeases } from '../../worker/queries/jobs/expire.ts'
import { failJob } from '../../worker/queries/jobs/fail-job.ts'
import { leaseJob, reclaimJob } from '../../worker/queries/jobs/lease.ts'
import { renewLease } from '../../worker/queries/jobs/renew.ts'
import { appendLog } from '../../worker/queries/logs/logs.ts'
import { claimOf } from '../../worker/queries/parts/held.ts'
import { cancelSubmission } from '../../worker/queries/submissions/cancel-submission.ts'
import { weightsFile } from '../support/artifacts.ts'
import { device, leaseRequest, probe } from '../support/probe.ts'
import { SqliteD1 } from './d1.ts'
import { LeaseWatch } from './lease-watch.ts'

const settings = settingsOf({} as Bindings)
const RUNNERS = 3

export const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex')
/** The token that a renewal leads to, as the protocol says it. */
const renewed = (token: string, nonce: string) => `pal_job_${sha256Of(`renew.${token}.${nonce}`).slice(0, 32)}`

/** What a runner knows of the job that it believes to hold. */
interface Held {
  key: string
  lease: Lease
  nonce: string
  /** All that it wrote in its log, and the place of the next chunk. */
  text: string
  sequence: number
  offset: number
}

interface Request {
  name: string
  /** The token that it carries, and the one that it leads to. */
  key?: string
  tokens?: string[]
  /** Of the payload, for ends that must not differ. */
  result?: number
  send(now: number): Promise<unknown>
  /** Null once the runner is gone, or the answer is lost. */
  answered: ((answer: unknown, error: unknown) => void) | null
}

/** Of an architecture that nobody knows: one number. */
const spec = {
  ...{ kind: 'train', task: 'classification', dataset: { id: 'own' }, model: { id: 'own', params: {} }, inputs: {} },
} as unknown as StageSpec
const weightsBytes = weightsFile(spec.model, spec.dataset)
const WEIGHTS_PATH = 'artifacts/weights'
const weights = { sha256: createHash('sha256').update(weightsBytes).digest('hex'), bytes: weightsBytes.length }

const folder = resolve(import.meta.dirname, '../../worker/migrations')
const migrations = readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => readFileSync(resolve(folder, name), 'utf8'))

const runnerRow = (index: number): RunnerRow => ({
  id: `rnr_${index}`,
  name: `runner-${index}`,
  publicKey: {} as RunnerRow['publicKey'],
  labels: [],
  state: 'active',
  enrolledAt: 0,
  lastSeenAt: null,
  probe,
  engines: null,
  stagesAtOnce: 1,
  pauseReason: null,
  trustedSince: null,
})

export class LeaseWorld {
  readonly d1 = new SqliteD1()
  readonly db: Database = databaseOf(this.d1 as unknown as D1Database)
  readonly store = memoryStore()
  watch: LeaseWatch
  now = 0
  /** Sent and not yet arrived. */
  network: Request[] = []
  /** Arrived, each waiting before its next statement. */
  waiting: (() => void)[] = []
  held: (Held | null)[] = []
  /** Every lease that was ever given out. */
  issued: Held[] = []
  accepted = 0
  refused = 0
  readonly #steps = new AsyncLocalStorage<number[]>()
  #running = 0
  #quiet: (() => void) | null = null
  #counter = 0

  constructor() {
    for (const migration of migrations) this.d1.database.exec(migration.replaceAll('--> statement-breakpoint', ''))
    this.watch = new LeaseWatch(this.d1.database)
    this.d1.gate = {
      before: () =>
        new Promise((go) => {
          const steps = this.#steps.getStore()
          this.waiting.push(() => {
            this.#running += 1
            steps?.push(this.watch.step)
            go()
          })
          this.#rests()
        }),
      after: () => this.watch.look(),
    }
  }

  /** Two submissions of one run each; both need the first job, and then one of their own. */
  reset(): void {
    const { database } = this.d1
    const tables = [
      'artifact_uses',
      'artifacts',
      'late_results',
      'log_chunks',
      'deliveries',
      'job_inputs',
      'run_jobs',
      'runs',
      'submissions',
      'jobs',
    ]
    for (const table of [...tables, 'runners']) database.exec(`DELETE FROM ${table}`)
    this.now = Date.parse('2026-11-01T12:00:00Z')
    const createdAt = this.now
    const put = (query: { toSQL(): { sql: string; params: unknown[] } }) => {
      const { sql, params } = query.toSQL()
      database.prepare(sql).run(...(params as (string | number | null)[]))
    }
    put(this.db.insert(artifacts).values({ ...weights, path: WEIGHTS_PATH, touchedAt: createdAt }))
    for (const key of ['shared', 'first', 'second']) {
      put(this.db.insert(jobs).values({ key, kind: 'train', spec, engine: engines()[0]!, likeness: '', createdAt }))
    }
    for (let index = 0; index < RUNNERS; index++) put(this.db.insert(runners).values(runnerRow(index)))
    const about = {
      benchmark: 'b',
      method: 'm',
      methodVersion: 1,
      params: {},
      label: '',
      visibility: 'public' as const,
      author: 'a',
      tokenId: 'author',
    }
    for (const [index, key] of ['first', 'second'].entries()) {
      const [id, runId] = [`s${index}`, `r${index}`]
      put(this.db.insert(submissions).values({ id, ...about, createdAt }))
      put(
        this.db
          .insert(runs)
          .values({ id: runId, submissionId: id, benchmark: 'b', definitionSha256: '', seed: 0, ordinal: 0, part: 0 }),
      )
      put(this.db.insert(runJobs).values({ runId, jobKey: 'shared', position: 0 }))
      put(this.db.insert(runJobs).values({ runId, jobKey: key, position: 1 }))
      put(this.db.insert(jobInputs).values({ jobKey: key, inputKey: 'shared' }))
    }
    this.network = []
    this.waiting = []
    this.held = Array(RUNNERS).fill(null)
    this.issued = []
    this.store.clear()
    this.watch.reset()
  }

  /** Until every request waits or has ended. */
  async quiet(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((done) => (this.#quiet = done))
  }

  #rests(): void {
    this.#running -= 1
    if (this.#running > 0) return
    this.#quiet?.()
    this.#quiet = null
  }

  /** Lets a waiting request execute its next statement. */
  resume(at: number): void {
    const [go] = this.waiting.splice(at % this.waiting.length, 1)
    go?.()
  }

  /** Lets a request arrive at a server whose clock may be wrong. */
  deliver(at: number, { skew, copy, drop }: { skew: number; copy: boolean; drop: boolean }): void {
    const index = at % this.network.length
    const request = this.network[index]!
    if (!copy) this.network.splice(index, 1)
    if (!drop) this.arrive(request, this.now + skew)
  }

  arrive(request: Request, now: number): void {
    // What was so before each of its statements.
    const steps: number[] = []
    this.#running += 1
    const end = (answer: unknown, error: unknown) => {
      if (error && !(error instanceof ApiError)) throw error
      if (request.tokens)
        this.watch.judge({ ...request, key: request.key!, tokens: request.tokens, steps, now, accepted: !error })
      if (error) this.refused += 1
      else this.accepted += 1
      request.answered?.(answer, error)
    }
    this.#steps
      .run(steps, () => request.send(now))
      .then(
        (answer) => end(answer, null),
        (error: unknown) => end(null, error),
      )
      .catch((broken: unknown) => this.watch.broken(broken))
      .finally(() => this.#rests())
  }

  /** A runner does something that runners do, or something that they should not. */
  act(runner: number, choice: number): void {
    const own = this.held[runner % RUNNERS]!
    if (!own) this.network.push(this.#lease(runner % RUNNERS))
    else this.network.push(this.#verb(own, runner % RUNNERS, choice))
  }

  /** Anybody with any token that ever was. */
  intrude(which: number, choice: number): void {
    const token = this.issued[which % this.issued.length]
    if (token) this.network.push(this.#verb({ ...token }, choice % RUNNERS, choice))
  }

  crash(runner: number): void {
    this.held[runner % RUNNERS] = null
  }

  alarm(now: number): void {
    this.arrive({ name: 'alarm', send: (at) => endExpiredLeases(this.db, at), answered: null }, now)
  }

  cancel(submission: number, now: number): void {
    const identity = { tokenId: 'author', name: 'a', role: 'submitter' as const }
    const send = (at: number) => cancelSubmission(this.db, `s${submission % 2}`, { identity, now: at })
    this.arrive({ name: 'cancel', send, answered: null }, now)
  }

  #nonce = () => (++this.#counter).toString(16).padStart(32, '0')

  #context = (runner: number, now: number) => ({ runner: runnerRow(runner), settings, now })

  #take(runner: number, key: string, lease: Lease): void {
    const held = { key, lease, nonce: this.#nonce(), text: '', sequence: 0, offset: 0 }
    this.held[runner] = held
    this.issued.push({ ...held })
    this.watch.issue(key, lease)
  }

  #lease(runner: number): Request {
    const request = { ...leaseRequest(this.#nonce()), stagesAtOnce: 1 }
    return {
      name: 'lease',
      send: (now) => leaseJob(this.db, request, this.#context(runner, now)),
      answered: (answer) => {
        const job = answer as Awaited<ReturnType<typeof leaseJob>>
        if (job && !this.held[runner]) this.#take(runner, job.key, job.lease)
        else if (job) this.watch.issue(job.key, job.lease)
      },
    }
  }

  #verb(held: Held, runner: number, choice: number): Request {
    const { key, lease } = held
    const { token, attempt } = lease
    const { db, store } = this
    const still = () => this.held[runner] === held && held.lease === lease
    const about = { key, tokens: [token] }
    const lost = choice % 5 === 0
    const claim = (now: number) => claimOf(key, token, now)
    const gap = (error: unknown) => {
      if (!(error instanceof ApiError) || error.code !== 'log_gap' || !still()) return
      held.sequence = error.details!.expectedSequence as number
      held.offset = error.details!.expectedOffset as number
    }
    const log = { bytes: held.text.length, sha256: sha256Of(held.text) }
    const ends = (answer: unknown, error: unknown) => {
      gap(error)
      if (answer && still()) this.held[runner] = null
    }
    switch (choice % 12) {
      case 0:
      case 1:
      case 2: {
        const { nonce } = held
        return {
          name: 'renew',
          key,
          tokens: [token, renewed(token, nonce)],
          send: (now) => renewLease(db, key, { token, nonce, progress: null }, { settings, now }),
          answered: lost
            ? null
            : (answer) => {
                if (!answer || !still()) return
                held.lease = (answer as { lease: Lease }).lease
                held.nonce = this.#nonce()
                this.issued.push({ ...held })
              },
        }
      }
      case 3:
      case 4:
      case 5: {
        if (held.offset === held.text.length) held.text += `attempt ${attempt} ${this.#nonce()}\n`
        const text = held.text.slice(held.offset)
        const chunk = { sequence: held.sequence, offset: held.offset, text, sha256: sha256Of(text) }
        return {
          name: 'log',
          ...about,
          send: async (now) => appendLog(db, store.bucket, await claim(now), chunk),
          answered: (answer, error) => {
            if (lost) return
            gap(error)
            if (answer && still()) Object.assign(held, (answer as { next: object }).next)
          },
        }
      }
      case 6:
      case 7:
      case 8: {
        const setUp = attempt
        const result = {
          artifacts: { [WEIGHTS]: weights },
          seconds: { setUp },
          device,
          versions: {},
          metrics: {},
          losses: [],
        }
        return {
          name: 'finish',
          ...about,
          result: setUp,
          send: async (now) => {
            await finishJob(db, store.bucket, await claim(now), { result, log, manifest: 'signed' })
            return 'done'
          },
          answered: lost ? null : ends,
        }
      }
      case 9:
      case 10: {
        const outcome = choice % 12 === 9 ? ('failed' as const) : ('released' as const)
        const reason = choice % 7 === 0 ? ('configuration' as const) : ('out_of_memory' as const)
        const failure = { outcome, reason, message: `of attempt ${attempt}`, log: choice % 2 ? log : null }
        return {
          name: outcome,
          ...about,
          send: async (now) => failJob(db, store.bucket, await claim(now), failure),
          answered: lost ? null : ends,
        }
      }
      default: {
        const request = { attempt, nonce: held.nonce }
        return {
          name: 'reclaim',
          send: (now) => reclaimJob(db, key, request, this.#context(runner, now)),
          answered: (answer) => {
            if (!answer) return
            const { lease: next } = answer as { lease: Lease }
            if (still() && !lost) this.#take(runner, key, next)
            else this.watch.issue(key, next)
          },
        }
      }
    }
  }

  /** What is under way ends, then one dependable runner with a right clock takes all that is left. */
  async settle(): Promise<void> {
    this.network = []
    const finishWaiting = async () => {
      for (await this.quiet(); this.waiting.length > 0; await this.quiet()) this.resume(0)
    }
    await finishWaiting()
    for (let jobs = 0; jobs < 10; jobs++) {
      this.now += 20 * 60_000
      this.held[0] = null
      this.arrive(this.#lease(0), this.now)
      await finishWaiting()
      const held = this.held[0] as Held | null
      if (!held) break
      this.arrive(this.#verb(held, 0, 6), this.now + 1000)
      await finishWaiting()
    }
    this.watch.settled()
  }
}

/** As much of R2 as logs use. */
function memoryStore() {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>()
  const bucket = {
    put: async (path: string, bytes: Uint8Array<ArrayBuffer>) => void objects.set(path, bytes),
    get: async (path: string, options?: { range: { offset: number; length: number } }) => {
      const whole = path === WEIGHTS_PATH ? weightsBytes : objects.get(path)
      const { offset = 0, length = whole?.length ?? 0 } = options?.range ?? {}
      const bytes = whole?.slice(offset, offset + length)
      return bytes ? { body: new Blob([bytes]).stream(), arrayBuffer: async () => bytes.buffer } : null
    },
    delete: async (paths: string[]) => {
      for (const path of paths) objects.delete(path)
    },
  }
  return { bucket: bucket as unknown as R2Bucket, clear: () => objects.clear() }
}
