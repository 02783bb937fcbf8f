/** A runner's identity, made by plain requests: enrolled, with an access token. For tests in workerd and in Node. */

import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { ASSERTION_SECONDS } from '../../schema/protocol/access.ts'
import type { Job, Order } from '../../schema/protocol/lease.ts'
import type { Manifest } from '../../schema/protocol/manifest.ts'
import {
  fingerprintOf,
  newPrivateKey,
  type PrivateKey,
  type PublicKey,
  publicKeyOf,
  sign,
} from '../../schema/signature.ts'

export interface Enrolled {
  id: string
  name: string
  key: PrivateKey
  serverPublicKey: PublicKey
  /** An access token. */
  token: string
}

/** Every runner that enrolled here, by id: what leases a job signs its result. */
const known = new Map<string, Enrolled>()

/** The order of an answer, as a runner reads it that believes everything. */
export function jobOf(answer: { order?: string; lease?: Job['lease'] }): Job | null {
  if (!answer.order || !answer.lease) return null
  return { ...(claimsOf(answer.order) as Order), lease: answer.lease }
}

/** What a JWS says, unverified. */
function claimsOf(jws: string): unknown {
  const payload = (jws.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
  const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0))
  return JSON.parse(new TextDecoder().decode(bytes) || '{}')
}

/** A result as the runner that leased the job signs it, changed as told. */
export async function signedResult(
  job: Job,
  { result, log }: Pick<Manifest, 'result' | 'log'>,
  change: Partial<Manifest> = {},
): Promise<string> {
  const specSha256 = await sha256Hex(canonicalJson(job.spec))
  const said = { job: job.key, attempt: job.lease.attempt, runner: job.runner, specSha256, log, result, ...change }
  return sign('result', said, known.get(job.runner)!.key)
}

/** Sends JSON and returns the body of an answer that is a success. */
export type Post = <T>(path: string, token: string | undefined, body: unknown) => Promise<T>

export const enrolmentBody = async (secret: string, key: PrivateKey, name = 'lab') => ({
  secret,
  name,
  publicKey: publicKeyOf(key),
  proof: await sign('enrolment', { secretSha256: await sha256Hex(secret) }, key),
})

const randomHex = (bytes: number) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Claims of an assertion made now, changed as told. */
export async function assertionOf(
  { id, key, serverPublicKey }: Omit<Enrolled, 'token'>,
  change: Record<string, unknown> = {},
) {
  const iat = Math.floor(Date.now() / 1000)
  const aud = await fingerprintOf(serverPublicKey)
  const claims = { iss: id, aud, iat, exp: iat + ASSERTION_SECONDS, jti: randomHex(16), ...change }
  return sign('assertion', claims, key, id)
}

export async function enrolled(post: Post, adminToken: string, name: string): Promise<Enrolled> {
  const { secret } = await post<{ secret: string }>('/api/v1/enrolments', adminToken, {})
  const key = await newPrivateKey()
  const answer = await post<{ id: string; serverPublicKey: PublicKey }>(
    '/api/v1/runners/enrol',
    undefined,
    await enrolmentBody(secret, key, name),
  )
  const identity = { id: answer.id, name, key, serverPublicKey: answer.serverPublicKey }
  const runner = { ...identity, token: await traded(post, identity) }
  known.set(runner.id, runner)
  return runner
}

const traded = async (post: Post, identity: Omit<Enrolled, 'token'>) =>
  (await post<{ token: string }>('/api/v1/runners/access', undefined, { assertion: await assertionOf(identity) })).token

/** The same runner's access token for tests that turn the clock: a new one once the one given has expired. */
export async function freshToken(post: Post, token: string): Promise<string> {
  const claims = claimsOf(token) as Partial<{ sub: string; exp: number }>
  const runner = known.get(claims.sub ?? '')
  return runner && claims.exp! * 1000 <= Date.now() ? traded(post, runner) : token
}
