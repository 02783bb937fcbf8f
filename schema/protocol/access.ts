/** Trade an assertion, signed by the runner's key and good for one use within a minute, for an access token. */
import { z } from 'zod'
import { fingerprint } from '../signature.ts'
import { runnerId } from './enrol.ts'

export const path = '/api/v1/runners/access'

export const ASSERTION_SECONDS = 60
export const ACCESS_SECONDS = 15 * 60
/** By how much clocks may differ unnoticed. */
export const LEEWAY_SECONDS = 30

/** Seconds since 1970, as in RFC 7519, up to the end of the year 9999, the last that ISO 8601 writes in four digits. */
const numericDate = z.int().min(0).max(253_402_300_799)

/** `aud` is the fingerprint of the server's key: an assertion made for one
 *  server is nothing to another. */
export const assertion = z.strictObject({
  iss: runnerId,
  aud: fingerprint,
  iat: numericDate,
  exp: numericDate,
  jti: z.string().regex(/^[0-9a-f]{32}$/),
})

/** What an access token says; it is signed by the server. */
export const access = z.strictObject({ sub: runnerId, iat: numericDate, exp: numericDate })

export const request = z.strictObject({ assertion: z.string().max(2000) })
export const response = z.strictObject({ token: z.string(), expiresInMs: z.int() })
