/** Signatures that both sides make and check: compact JWS (RFC 7515) by Ed25519 keys (RFC 8037). Each says in its header what it
 *  is for, so that a signature made for one purpose is refused for any other. */
import {
  CompactSign,
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
} from 'jose'
import { z } from 'zod'
import { describeIssues } from './issues.ts'
import { weaknessOf } from './parts/edwards25519.ts'
import { oddityOf } from './parts/plain-json.ts'

/** 32 bytes in base64url. The last letter holds 4 bits: the 2 below them are 0, so that the same bytes are written one way. */
const bytes32 = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, { error: 'expected 32 bytes in base64url', abort: true })
export const publicKey = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: bytes32 })
export type PublicKey = z.infer<typeof publicKey>
/** One that is about to be believed. */
export const newPublicKey = publicKey.extend({
  x: bytes32.superRefine((x, context) => {
    const message = weaknessOf(x)
    if (message !== null) context.addIssue({ code: 'custom', message })
  }),
})
export const privateKey = publicKey.extend({ d: bytes32 })
export type PrivateKey = z.infer<typeof privateKey>

export const jws = z
  .string()
  .max(240_000)
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'expected a compact JWS: three parts of base64url, with a dot between')

/** SHA-256 of a public key by RFC 7638, in base64url. */
export const fingerprint = bytes32
export const fingerprintOf = ({ kty, crv, x }: PublicKey): Promise<string> => calculateJwkThumbprint({ kty, crv, x })

export const publicKeyOf = ({ kty, crv, x }: PrivateKey): PublicKey => ({ kty, crv, x })

/** A fresh pair; the private key holds the public one. */
export async function newPrivateKey(): Promise<PrivateKey> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { kty, crv, x, d } = await exportJWK(pair.privateKey)
  return privateKey.parse({ kty, crv, x, d })
}

/** What a signature is for; stands as `typ` in its header. */
export type Purpose = 'enrolment' | 'assertion' | 'access' | 'job' | 'result'
const typOf = (purpose: Purpose) => `palimpsest-${purpose}+jws`

/** Says which part is not what was signed. */
export class SignatureError extends Error {
  override name = 'SignatureError'
}

/** `keyId` names the signer where the reader has to look up the key. */
export function sign(purpose: Purpose, payload: unknown, key: PrivateKey, keyId?: string): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'EdDSA', typ: typOf(purpose), ...(keyId !== undefined && { kid: keyId }) })
    .sign(key)
}

/** Who claims to have signed; null where that is not said. Trust it only after `verify`. */
export function keyIdOf(text: string): string | null {
  try {
    const { kid }: { kid?: unknown } = decodeProtectedHeader(text)
    return typeof kid === 'string' ? kid : null
  } catch {
    return null
  }
}

/** The payload, once signature, purpose and shape are right; else throws SignatureError. */
export async function verify<Shape extends z.ZodType>(
  purpose: Purpose,
  shape: Shape,
  text: string,
  key: PublicKey,
): Promise<z.infer<Shape>> {
  const weakness = weaknessOf(key.x)
  if (weakness !== null) {
    throw new SignatureError(`the key that should have signed the ${purpose} is not believed: ${weakness}`)
  }
  const { payload, protectedHeader } = await compactVerify(text, key, { algorithms: ['EdDSA'] }).catch(() => {
    throw new SignatureError(
      `the signature of the ${purpose} does not match its content and the key that should have signed it`,
    )
  })
  if (protectedHeader.typ !== typOf(purpose)) {
    throw new SignatureError(`expected a signature of type ${typOf(purpose)}, got ${protectedHeader.typ ?? 'none'}`)
  }
  const value = plainJson(purpose, new TextDecoder().decode(payload))
  const { data, error } = shape.safeParse(value)
  if (error) throw new SignatureError(`the signed ${purpose} is not what it should be: ${describeIssues(error, value)}`)
  return data as z.infer<Shape>
}

function plainJson(purpose: Purpose, text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new SignatureError(`the signed ${purpose} should be JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  const oddity = oddityOf(value)
  if (oddity !== null) throw new SignatureError(`the signed ${purpose} is not what it should be: ${oddity}`)
  return value
}
