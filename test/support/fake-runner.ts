/** A runner made of plain HTTP requests: it leases, logs, uploads and finishes like a real one and invents its evidence. */

import { createHash, randomBytes } from 'node:crypto'
import { scienceTasks } from '../../runner/science/catalogue/catalogue.ts'
import { plainTools } from '../../runner/science/plain-tools.ts'
import { scoreEach } from '../../runner/science/score.ts'
import type { Submission } from '../../schema/api/submission.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { StageResult } from '../../schema/result.ts'
import type { Role } from '../../schema/tables/tokens.ts'
import { type Drawn, filesOf, type Scores } from './artifacts.ts'
import { enrolled, jobOf, signedResult } from './enrolled.ts'
import { device, leaseRequest } from './probe.ts'
import type { Server } from './server.ts'

/** What the fake runner pretends that a method reaches. */
export interface Invention {
  score(method: string, params: Record<string, unknown>, seed: number): Scores
  seconds(method: string, seed: number): StageResult['seconds']
  /** For benchmarks of image generation. */
  generation?: {
    drawn(method: string, seed: number): Drawn
    picture(method: string, seed: number): Promise<Uint8Array<ArrayBuffer>>
  }
}

const sha256Of = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')
export const newNonce = () => randomBytes(16).toString('hex')
export const wholeLog = (text: string) => ({ bytes: Buffer.byteLength(text), sha256: sha256Of(text) })

export function fakeRunner({ url, adminToken }: Pick<Server, 'url' | 'adminToken'>) {
  const call = async <T>(path: string, token: string | undefined, init: RequestInit = {}): Promise<T> => {
    const headers = { ...(token && { authorization: `Bearer ${token}` }), ...init.headers }
    const answer = await fetch(url + path, { ...init, headers })
    if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
  const post = <T>(path: string, token: string | undefined, body: unknown) =>
    call<T>(path, token, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  /** A token of that role; of a runner, an access token. */
  const tokenFor = async (role: Role | 'runner', name: string): Promise<string> => {
    if (role === 'runner') return (await enrolled(post, adminToken, name)).token
    return (await post<{ secret: string }>('/api/v1/tokens', adminToken, { role, name })).secret
  }
  /** The secret of an enrolment, for a real runner. */
  const invite = async () => (await post<{ secret: string }>('/api/v1/enrolments', adminToken, {})).secret
  const lease = async (token: string) =>
    jobOf(await post<Parameters<typeof jobOf>[0]>('/api/v1/jobs/lease', token, leaseRequest(newNonce())))
  /** A verb about a leased job, under its own token. */
  const verb = <T>(job: Job, name: string, body: Record<string, unknown>) =>
    post<T>(`/api/v1/jobs/${job.key}/${name}`, job.lease.token, body)
  /** A chunk of log; by default the first. */
  const say = (job: Job, text: string, { sequence = 0, offset = 0 } = {}) =>
    verb<{ sequence: number; offset: number }>(job, 'log', { sequence, offset, text, sha256: sha256Of(text) })
  /** With the sum of everything that was said. */
  const finish = async (job: Job, result: StageResult, log = '') =>
    verb(job, 'finish', { manifest: await signedResult(job, { result, log: wholeLog(log) }) })

  const upload = async (job: Job, content: string | Uint8Array<ArrayBuffer>) => {
    const sha256 = sha256Of(content)
    return call<{ sha256: string; bytes: number }>(`/api/v1/artifacts/${sha256}`, job.lease.token, {
      method: 'PUT',
      body: content,
    })
  }

  /** Works off up to `most` jobs and returns how many there were. */
  const workOff = async (token: string, invention: Invention, most = Number.POSITIVE_INFINITY): Promise<number> => {
    const makers = new Map<string, { method: string; params: Record<string, unknown> }>()
    let done = 0
    while (done < most) {
      const job = await lease(token)
      if (!job) break
      const { spec, key } = job
      const { weights, samples: drawn } = spec.inputs
      const maker =
        spec.kind === 'train'
          ? { method: `${spec.without ? 'retrain' : 'original'}${spec.draws ? '-again' : ''}`, params: {} }
          : spec.kind === 'unlearn'
            ? { method: spec.method.id, params: spec.method.params }
            : makers.get((weights ?? drawn)!)!
      makers.set(key, maker)
      const passes = Array.from({ length: 5 }, (_, epoch) => 2.3 / (epoch + 1))
      const epochs = passes.map((loss, epoch) => `epoch ${epoch + 1} of 5  loss ${loss.toFixed(4)}\n`)
      const text = `${spec.kind} seed ${spec.seed}\n${epochs.join('')}`
      await say(job, text)
      const evaluates = spec.kind === 'evaluate'
      const samples = spec.kind === 'sample'
      const files = await filesOf(
        spec,
        spec.task === 'classification' ? invention.score(maker.method, maker.params, spec.seed) : undefined,
        invention.generation?.drawn(maker.method, spec.seed),
      )
      const artifacts: StageResult['artifacts'] = {}
      for (const [name, bytes] of Object.entries(files)) artifacts[name] = await upload(job, bytes)
      const picture = samples && invention.generation && (await invention.generation.picture(maker.method, spec.seed))
      const pictures = picture ? { 'samples.png': await upload(job, picture) } : {}
      const measured = async () => {
        const science = scienceTasks.get(spec.task)!
        const evidence = science.decode(new Map(Object.entries(files)))
        const tools = () => plainTools({ svcSamples: 1e5, svcCacheBytes: 2 ** 23, multiplications: 1e10 })
        return (await scoreEach(science, evidence, job.metrics, tools)).values
      }
      const result: StageResult = {
        artifacts: { ...artifacts, ...pictures },
        seconds: evaluates
          ? { setUp: 0.8, evaluate: 2.1 }
          : samples
            ? { setUp: 0.6, sample: 24.5 }
            : invention.seconds(maker.method, spec.seed),
        device,
        versions: { palimpsest: '0.1.0', onnxruntime: '1.30.0' },
        metrics: evaluates ? await measured() : {},
        losses: evaluates || samples ? [] : passes,
      }
      await finish(job, result, text)
      done++
    }
    return done
  }

  const submit = (token: string, body: Record<string, unknown>) => post<Submission>('/api/v1/submissions', token, body)

  return { post, tokenFor, invite, lease, verb, say, finish, upload, workOff, submit }
}
