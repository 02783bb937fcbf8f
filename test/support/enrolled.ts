/** A runner's identity, made by plain requests: enrolled, with an access token. For tests in workerd and in Node. */
import { ASSERTION_SECONDS } from '../../schema/protocol/access.ts'
import {
  fingerprintOf,
  newPrivateKey,
  type PrivateKey,
  type PublicKey,
  publicKeyOf,
  sign,
} from '../../schema/signature.ts'
import { sha256Hex } from '../../schema/stage.ts'

export interface Enrolled {
  id: string
  name: string
  key: PrivateKey
  serverPublicKey: PublicKey
  /** An access token. */
  token: string
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
  const assertion = await assertionOf(identity)
  const { token } = await post<{ token: string }>('/api/v1/runners/access', undefined, { assertion })
  return { ...identity, token }
}
