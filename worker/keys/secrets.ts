/** Secrets that are shown once and stored nowhere: derived from the server's own by HKDF-SHA256 (RFC 5869), so that a request
 *  repeated under its idempotency key is answered alike. */
import type { Role } from '../../schema/tables/tokens.ts'
import type { Bindings } from '../bindings/env.ts'
import { signingKeyOf } from './signing.ts'

type Keyed = Pick<Bindings, 'SIGNING_KEY'>

/** What makes one request the same as another: its token, its idempotency key and all that it asks for. */
export interface Repeatable {
  tokenId: string
  /** Null where it came without a key: then no other is the same. */
  key: string | null
  requestSha256: string
}

/** `bytes` bytes that nobody can tell who doesn't know the server's secret; other words give others. */
async function derived(env: Keyed, words: string[], bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  const secret = encoder.encode(signingKeyOf(env).d)
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  const info = encoder.encode(JSON.stringify(['palimpsest', ...words]))
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    key,
    bytes * 8,
  )
  return new Uint8Array(bits)
}

/** What signs the messages of a webhook. It is needed for every message, so it hangs on the webhook's id alone. */
export async function webhookSecret(env: Keyed, webhookId: string): Promise<string> {
  return `whsec_${btoa(String.fromCharCode(...(await derived(env, ['webhook', webhookId], 32))))}`
}

/** The secret of a token or an enrolment. Only its hash is kept, and of the idempotency key too, so that whoever reads the database
 *  can't make it again; without a key it is random. */
export async function tokenSecret(
  env: Keyed,
  kind: Role | 'enrol',
  { tokenId, key, requestSha256 }: Repeatable,
): Promise<string> {
  const bytes =
    key === null
      ? crypto.getRandomValues(new Uint8Array(24))
      : await derived(env, ['token', tokenId, key, requestSha256], 24)
  return `pal_${kind}_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
