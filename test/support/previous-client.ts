/** The agent protocol as release 0.1.0 spoke it, frozen: what its client sent, and how strictly it read the answers. It imports
 *  nothing of this repository, so that no change there changes it. Of what an order says of its stage it knows only what it
 *  signs and answers.
 *
 *  With `speaks` it asks for jobs as a later release did. When PROTOCOL is raised, freeze the client of the release before in
 *  its place. */
import { z } from 'zod'

/** What releases after 0.1.0 add to a request for a job. */
export interface Speaks {
  protocol: number
  engines: string[]
}

/** Sends one request to the server. */
export type Send = (path: string, init: RequestInit) => Promise<Response>

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const bytes32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const publicKey = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: bytes32 })
const artifactRef = z.strictObject({ sha256, bytes: z.int().min(0) })

const enrolled = z.strictObject({
  id: z.string().regex(/^rnr_[0-9a-f]{16}$/),
  name: z.string(),
  serverPublicKey: publicKey,
})
const access = z.strictObject({ token: z.string(), expiresInMs: z.int() })
const lease = z.strictObject({
  token: z.string().regex(/^pal_job_[0-9a-f]{32}$/),
  attempt: z.int().min(1),
  leaseMs: z.int(),
  renewEveryMs: z.int(),
  checkpointEveryMs: z.int(),
  stageTimeoutMs: z.int(),
})
/** Read as a later release does, which leaves out what it does not know: 0.1.0 itself gets no order any more. */
const leased = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('job'), key: sha256, order: z.string(), lease }),
  z.object({
    kind: z.literal('none'),
    retryAfterMs: z.int(),
    standing: z.enum(['active', 'paused', 'draining', 'revoked']),
  }),
])
const order = z.object({
  key: sha256,
  runner: z.string(),
  spec: z.looseObject({ kind: z.string(), seed: z.int() }),
  inputs: z.record(sha256, z.record(z.string(), artifactRef)),
  checkpoint: z.object({ artifact: artifactRef, position: z.number().min(0) }).nullable(),
})
const renewed = z.strictObject({ lease, cancel: z.boolean() })
const logged = z.strictObject({ sequence: z.int(), offset: z.int() })
const begun = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stored') }),
  z.strictObject({ kind: z.literal('whole') }),
  z.strictObject({ kind: z.literal('parts'), partBytes: z.int(), stored: z.array(z.int()) }),
])
const uploaded = z.strictObject({ sha256, bytes: z.int() })
const checkpointed = z.strictObject({ position: z.number() })
const finished = z.strictObject({ state: z.literal('done') })
const failed = z.strictObject({ state: z.enum(['failed', 'queued', 'cancelled']) })
const reclaimed = z.strictObject({ lease })
const refusal = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    requestId: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
})

/** A refusal of the server, as the client told it to its user. */
export class Refused extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, status: number, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}

export interface PreviousJob {
  key: string
  order: z.infer<typeof order>
  lease: z.infer<typeof lease>
  /** Where the log's next chunk belongs, and what was said. */
  place: z.infer<typeof logged>
  said: string
}

const probe = {
  device: { deviceClass: 'cpu/previous-release', provider: 'cpu', precision: 'float32', threads: 2 },
  memoryBytes: 8 * 2 ** 30,
  gpus: [],
  providers: ['cpu'],
  versions: { palimpsest: '0.1.0', onnxruntime: '1.30.0', node: '24.21.0' },
  selfTest: '42f0b910f11ae1be7e0d8e7f4130ebdfc269caec6cf6c1dc3b46931b6606e4d4',
}

/** Enrols with a secret and becomes a runner. */
export async function previousClient({ send, secret, speaks }: { send: Send; secret: string; speaks?: Speaks }) {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  if (!('privateKey' in pair)) throw new Error('expected a pair of keys')
  const exported = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as { x: string }
  const own = { kty: 'OKP', crv: 'Ed25519', x: exported.x }

  const sign = async (purpose: string, payload: unknown, kid?: string) => {
    const header = { alg: 'EdDSA', typ: `palimpsest-${purpose}+jws`, ...(kid && { kid }) }
    const content = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`
    return `${content}.${base64url(await crypto.subtle.sign('Ed25519', pair.privateKey, utf8(content)))}`
  }

  async function call<Shape extends z.ZodType>(path: string, shape: Shape, init: RequestInit): Promise<z.infer<Shape>> {
    const answer = await send(path, init)
    const body: unknown = await answer.json()
    if (answer.ok) return shape.parse(body)
    const { code, message } = refusal.parse(body).error
    throw new Refused(code, answer.status, message)
  }
  const post = <Shape extends z.ZodType>(path: string, shape: Shape, body: unknown, token?: string) =>
    call(path, shape, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    })
  const about = <Shape extends z.ZodType>({ key, lease }: PreviousJob, verb: string, shape: Shape, body: unknown) =>
    post(`/api/v1/jobs/${key}/${verb}`, shape, body, lease.token)

  const proof = await sign('enrolment', { secretSha256: await sha256Of(secret) })
  const identity = await post('/api/v1/runners/enrol', enrolled, { secret, name: 'previous', publicKey: own, proof })
  const { crv, kty, x } = identity.serverPublicKey
  const aud = base64url(await crypto.subtle.digest('SHA-256', utf8(JSON.stringify({ crv, kty, x }))))

  /** A token for requests that are about no job. */
  async function token(): Promise<string> {
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: identity.id, aud, iat, exp: iat + 60, jti: randomHex() }
    const assertion = await sign('assertion', claims, identity.id)
    return (await post('/api/v1/runners/access', access, { assertion })).token
  }

  /** What the pinned key signed. */
  async function opened(jws: string): Promise<unknown> {
    const [header = '', payload = '', signature = ''] = jws.split('.')
    const key = await crypto.subtle.importKey('jwk', identity.serverPublicKey, 'Ed25519', false, ['verify'])
    const isRight = await crypto.subtle.verify('Ed25519', key, bytesOf(signature), utf8(`${header}.${payload}`))
    if (!isRight || JSON.parse(textOf(header)).typ !== 'palimpsest-job+jws') throw new Error('the order is not signed')
    return JSON.parse(textOf(payload))
  }

  return {
    id: identity.id,
    async lease(): Promise<PreviousJob | null> {
      const answer = await post('/api/v1/jobs/lease', leased, { probe, nonce: randomHex(), ...speaks }, await token())
      if (answer.kind === 'none') return null
      const said = order.parse(await opened(answer.order))
      if (said.runner !== identity.id || said.key !== answer.key) throw new Error('the order is for somebody else')
      return { key: answer.key, order: said, lease: answer.lease, place: { sequence: 0, offset: 0 }, said: '' }
    },
    async renew(job: PreviousJob): Promise<{ cancel: boolean }> {
      const progress = { phase: 'epoch 1 of 2', done: 1, total: 2, unit: 'epochs', loss: 0.5 }
      const answer = await about(job, 'renew', renewed, { nonce: randomHex(), progress })
      job.lease = answer.lease
      return answer
    },
    async reclaim(job: PreviousJob): Promise<void> {
      const body = { attempt: job.lease.attempt, nonce: randomHex() }
      job.lease = (await post(`/api/v1/jobs/${job.key}/reclaim`, reclaimed, body, await token())).lease
      job.place = { sequence: 0, offset: 0 }
      job.said = ''
    },
    async log(job: PreviousJob, text: string): Promise<void> {
      const progress = { phase: 'epoch 2 of 2', done: 2, total: 2, unit: 'epochs' }
      const chunk = { ...job.place, text, sha256: await sha256Of(text), progress }
      job.place = await about(job, 'log', logged, chunk)
      job.said += text
    },
    /** Returns what a result names it by. */
    async upload(job: PreviousJob, content: string | Uint8Array<ArrayBuffer>): Promise<z.infer<typeof artifactRef>> {
      const bytes = typeof content === 'string' ? utf8(content) : content
      const ref = { sha256: await sha256Of(bytes), bytes: bytes.byteLength }
      const path = `/api/v1/artifacts/${ref.sha256}`
      const told = await post(`${path}/upload`, begun, { bytes: ref.bytes }, job.lease.token)
      if (told.kind === 'stored') return ref
      if (told.kind === 'parts') throw new Error(`expected to send ${ref.bytes} bytes as a whole`)
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(ref.bytes),
        authorization: `Bearer ${job.lease.token}`,
      }
      return call(path, uploaded, { method: 'PUT', headers, body: bytes })
    },
    checkpoint: (job: PreviousJob, artifact: z.infer<typeof artifactRef>, position: number) =>
      about(job, 'checkpoint', checkpointed, { artifact, position }),
    async finish(
      job: PreviousJob,
      result: { artifacts: object; seconds: object; metrics?: object; losses?: number[] },
    ): Promise<void> {
      const { key, order, lease, said } = job
      const manifest = {
        job: key,
        runner: order.runner,
        specSha256: await sha256Of(canonical(order.spec)),
        attempt: lease.attempt,
        log: { bytes: utf8(said).byteLength, sha256: await sha256Of(said) },
        result: {
          device: probe.device,
          versions: { palimpsest: '0.1.0', onnxruntime: '1.30.0' },
          memory: { hostBytes: 2 ** 28 },
          metrics: {},
          losses: [],
          ...result,
        },
      }
      await about(job, 'finish', finished, { manifest: await sign('result', manifest) })
    },
    async fail(job: PreviousJob, outcome: 'failed' | 'released', reason: string): Promise<string> {
      const log = { bytes: utf8(job.said).byteLength, sha256: await sha256Of(job.said) }
      return (await about(job, 'fail', failed, { outcome, reason, message: `it was ${outcome}`, log })).state
    },
  }
}

const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text))
const hex = (bytes: ArrayBuffer | Uint8Array) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
const randomHex = () => hex(crypto.getRandomValues(new Uint8Array(16)))
const sha256Of = async (content: string | Uint8Array<ArrayBuffer>) =>
  hex(await crypto.subtle.digest('SHA-256', typeof content === 'string' ? utf8(content) : content))

function base64url(content: string | ArrayBuffer): string {
  const bytes = typeof content === 'string' ? utf8(content) : new Uint8Array(content)
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
const bytesOf = (text: string) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
const textOf = (text: string) => new TextDecoder().decode(bytesOf(text))

/** JSON with sorted keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
