/** The app as tests ask it, on a fresh database; tokens; and a runner made of plain requests. */
import { applyD1Migrations, type D1Migration, reset, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { Run } from '../../schema/api/run.ts'
import type { Submission } from '../../schema/api/submission.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { benchmarks, type Target, targets } from '../../schema/catalogue/catalogue.ts'
import { errorBody } from '../../schema/errors.ts'
import { sha256Hex } from '../../schema/parts/hash.ts'
import type { Probe } from '../../schema/probe.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { WholeLog } from '../../schema/protocol/log.ts'
import type { StageResult } from '../../schema/result.ts'
import type { StageOf } from '../../schema/stage.ts'
import { app } from '../../worker/app.ts'
import type { Bindings } from '../../worker/bindings/env.ts'
import { filesOf, SCORES, type Scores } from '../support/artifacts.ts'
import { type Enrolled, enrolled, freshToken, jobOf, type Post, signedResult } from '../support/enrolled.ts'
import { device, leaseRequest } from '../support/probe.ts'

/** The Courier sleeps: tests send what is due themselves, at times of their choice. */
const COURIER = { getByName: () => ({ wake: async () => {} }) }

/** Nothing is computed once more, but where a test says so. */
const REPEAT_SHARE = '0'

export const bindings = { ...env, COURIER, REPEAT_SHARE } as unknown as Bindings & {
  MIGRATIONS: D1Migration[]
  FUZZ_SEED?: string
  FUZZ_CASES?: string
}
export const ADMIN = 'pal_admin_test'
export const SLUG = 'fashion-mnist-5k.small-cnn.random-10'

export const migrate = async () => {
  await reset()
  await applyD1Migrations(bindings.DB, bindings.MIGRATIONS)
}
export const useFreshDatabase = () => beforeEach(migrate)

/** Tokens that useSubmitterAndRunner makes anew for every test. */
export let submitter: string
export let runner: string

/** On a fresh database a submitter of that name, and a runner. */
export function useSubmitterAndRunner(author = 'submitter'): void {
  useFreshDatabase()
  beforeEach(async () => {
    submitter = await tokenFor('submitter', author)
    runner = await tokenFor('runner')
  })
}

/** The clock of tests that turn it themselves: it shows this time at first. Returns what turns it. */
export function useClock(from: string): (seconds: number) => void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(from) })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  return (seconds) => vi.setSystemTime(Date.now() + seconds * 1000)
}

/** The Dispatcher's alarm, which ends the leases that ran out. */
export const dispatcherAlarm = () =>
  runDurableObjectAlarm(bindings.DISPATCHER.get(bindings.DISPATCHER.idFromName('all')))

/** Makes a benchmark known for the tests of this file. */
export function addBenchmark(benchmark: Benchmark): void {
  const { slug, title } = benchmark
  ;(benchmarks as Map<string, Benchmark>).set(slug, benchmark)
  ;(targets as Map<string, Target>).set(slug, { slug, title, benchmarks: [benchmark] })
}

interface Options {
  token?: string | undefined
  json?: unknown
  headers?: Record<string, string>
  method?: string
  body?: BodyInit
}

/** One request; with `json` a POST. */
export async function ask(path: string, { token, json, headers = {}, method, body }: Options = {}): Promise<Response> {
  return app.request(
    path,
    {
      method: method ?? (json === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body }),
    },
    bindings,
  )
}

/** Body of an answer that must have this status. */
export async function read<T>(answer: Response, status = 200): Promise<T> {
  const text = await answer.text()
  expect(`${answer.status} ${answer.status === status ? '' : text}`.trim()).toBe(String(status))
  return JSON.parse(text) as T
}

export async function errorOf(answer: Response) {
  const { error } = errorBody.parse(await answer.json())
  return { status: answer.status, code: error.code, message: error.message, details: error.details }
}

const post: Post = async (path, token, json) => {
  const answer = await ask(path, { token, json })
  return read(answer, answer.ok ? answer.status : 200)
}

/** A runner that has enrolled. */
export const enrol = (name = 'runner-1'): Promise<Enrolled> => enrolled(post, ADMIN, name)

/** A token of that role; of a runner, an access token. */
export async function tokenFor(
  role: 'submitter' | 'organiser' | 'runner' | 'admin',
  name: string = role,
): Promise<string> {
  if (role === 'runner') return (await enrol(name)).token
  const answer = await ask('/api/v1/tokens', { token: ADMIN, json: { role, name } })
  return (await read<{ secret: string }>(answer, 201)).secret
}

export async function submit(token: string, json: Record<string, unknown> = {}): Promise<Submission> {
  return read(await ask('/api/v1/submissions', { token, json: { benchmark: SLUG, method: 'ft', ...json } }), 201)
}

export const newNonce = () => crypto.randomUUID().replaceAll('-', '')

/** With a name, as another runner, which enrols for it. */
export async function lease(token: string, name?: string, own: Partial<Probe> = {}): Promise<Job | null> {
  const json = leaseRequest(newNonce(), own)
  const by = await freshToken(post, name === undefined ? token : await tokenFor('runner', name))
  return jobOf(await read<Parameters<typeof jobOf>[0]>(await ask('/api/v1/jobs/lease', { token: by, json })))
}

export async function upload(job: Job, content: string | Uint8Array<ArrayBuffer>) {
  const bytes = typeof content === 'string' ? new Uint8Array(new TextEncoder().encode(content)) : content
  return read<{ sha256: string; bytes: number }>(await put(job, await sha256Hex(bytes), bytes))
}

export const put = (job: Job, sha256: string, bytes: Uint8Array<ArrayBuffer>) =>
  ask(`/api/v1/artifacts/${sha256}`, {
    token: job.lease.token,
    method: 'PUT',
    headers: { 'content-length': String(bytes.byteLength) },
    body: bytes,
  })

/** A verb about a leased job, under its own token. */
export const verb = (job: Job, name: string, json: Record<string, unknown>) =>
  ask(`/api/v1/jobs/${job.key}/${name}`, { token: job.lease.token, json })

export const renew = (job: Job, nonce = newNonce()) => verb(job, 'renew', { nonce, progress: null })

/** A chunk of log; by default the first. */
export const say = async (job: Job, text: string, { sequence = 0, offset = 0 } = {}) =>
  verb(job, 'log', { sequence, offset, text, sha256: await sha256Hex(text) })

export const wholeLog = async (text: string): Promise<WholeLog> => ({
  bytes: new TextEncoder().encode(text).byteLength,
  sha256: await sha256Hex(text),
})

/** With the files that such a stage leaves, unless the result names its own. */
export const finish = async (job: Job, result: Partial<StageResult> = {}, log = '') => {
  const artifacts = result.artifacts ?? (await leave(job, scoresIn(result.metrics)))
  const whole = resultOf({ ...result, artifacts })
  return verb(job, 'finish', { manifest: await signedResult(job, { result: whole, log: await wholeLog(log) }) })
}

/** Sends the files of a stage, valid ones, and names them; evidence has the scores. A lease that is refused here is refused again by
 *  what follows. */
export async function leave(job: Job, scores: Scores = SCORES): Promise<StageResult['artifacts']> {
  const named: StageResult['artifacts'] = {}
  for (const [name, bytes] of Object.entries(await filesOf(job.spec, scores))) {
    const sha256 = await sha256Hex(bytes)
    named[name] = { sha256, bytes: bytes.byteLength }
    const there = await ask(`/api/v1/artifacts/${sha256}`, { method: 'HEAD' })
    if (!there.ok) await put(job, sha256, bytes)
  }
  return named
}

/** The scores that metrics speak of; what they leave out is as ever. */
const scoresIn = (metrics: StageResult['metrics'] = {}): Scores =>
  Object.assign({ ...SCORES }, ...Object.entries(metrics).map(([id, { value }]) => ({ [id]: value })))

export const fail = async (job: Job, failure: Record<string, unknown>, log = '') =>
  verb(job, 'fail', { log: await wholeLog(log), ...failure })

export const resultOf = (result: Partial<StageResult> = {}): StageResult => ({
  artifacts: {},
  seconds: { setUp: 1 },
  device,
  versions: { palimpsest: '0.1.0', onnxruntime: '1.30.0' },
  metrics: {},
  losses: [],
  ...result,
})

export const metricsOf = ({ ua, ra, ta, mia }: Scores): StageResult['metrics'] => ({
  ua: { identity: 'ua/accuracy@1', value: ua },
  ra: { identity: 'ra/accuracy@1', value: ra },
  ta: { identity: 'ta/accuracy@1', value: ta },
  mia: { identity: 'mia/svc-confidence@1', value: mia },
})

// Boards ask for what the runner here measures, whatever else a benchmark comes to name, and for so few seeds that rows can be worked
// out by hand.
for (const benchmark of benchmarks.values()) {
  benchmark.seeds = benchmark.seeds.slice(0, 3)
  if (benchmark.task.id !== 'classification') continue
  benchmark.metrics = Object.values(metricsOf({ ua: 0, ra: 0, ta: 0, mia: 0 })).map(({ identity }) => identity)
}

/** Puts values in the place of what the server computed: scores that came before it did, when a runner's word was enough. */
export async function believe({ key, runner }: Job, metrics: StageResult['metrics']): Promise<void> {
  const of = (sql: string, ...values: unknown[]) => bindings.DB.prepare(sql).bind(...values)
  await bindings.DB.batch([
    of('DELETE FROM scores WHERE job_key = ?', key),
    ...Object.entries(metrics).map(([id, { identity, value }]) =>
      of(
        `INSERT INTO scores (job_key, metric, identity, value, "by", version, computed_at)
          SELECT key, ?, ?, ?, ?, '0.1.0', finished_at FROM jobs WHERE key = ?`,
        ...[id, identity, value, runner, key],
      ),
    ),
  ])
}

type Score = (method: string, seed: number, label: number) => Scores

function scoreFor({ inputs, request }: StageOf<'evaluate'>, score: Score): Scores {
  const { method, seed } = makers.get(inputs.weights!)!
  return score(method, seed, request.kind === 'class' ? request.label : -1)
}

/** What made the weights of a stage, by its key: an evaluation that is set aside is worked off by a later call. */
const makers = new Map<string, { method: string; seed: number }>()

/** Leases and finishes everything there is, or as many jobs. `score` gives what an evaluation measures, by the method, seed and
 *  forgotten class that it is about. */
export async function workOff(
  token: string,
  score: Score = () => SCORES,
  most = Number.POSITIVE_INFINITY,
): Promise<void> {
  let done = 0
  while (done < most) {
    const job = await lease(token)
    if (!job) break
    done++
    const { spec } = job
    const trained = spec.kind === 'train' && `${spec.without ? 'retrain' : 'original'}${spec.draws ? '-again' : ''}`
    const method = trained || (spec.kind === 'unlearn' && spec.method.id)
    if (method) makers.set(job.key, { method, seed: spec.seed })
    const result: Partial<StageResult> =
      spec.kind === 'evaluate'
        ? {
            metrics: metricsOf(scoreFor(spec, score)),
            seconds: { setUp: 1, evaluate: 2 },
          }
        : spec.kind === 'train'
          ? { seconds: { setUp: 4, train: 96 }, losses: [2, 1, 0.5] }
          : { seconds: { setUp: 1, mask: 2, unlearn: 7 }, losses: [0.7] }
    await read(await finish(job, result))
  }
}

export const runOf = async (id: string): Promise<Run> => read(await ask(`/api/v1/runs/${id}`))
