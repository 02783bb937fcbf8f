/** Trade a one-time enrolment secret for an identity: the runner's Ed25519 key becomes known to the server. */
import { z } from 'zod'
import { printable } from '../parts/controls.ts'
import { sha256 } from '../parts/hash.ts'
import { newPublicKey, publicKey } from '../signature.ts'

export const path = '/api/v1/runners/enrol'

export const enrolmentSecret = z.string().regex(/^pal_enrol_[0-9a-f]{48}$/, 'expected pal_enrol_ and 48 hex digits')
export const runnerId = z.string().regex(/^rnr_[0-9a-f]{16}$/)
/** Printable characters only: names stand in logs and on pages. */
export const runnerName = z
  .string()
  .min(1)
  .max(80)
  .regex(printable, 'expected printable characters')
  .refine((text) => text.isWellFormed(), 'expected printable characters')

/** Signed by the runner's key: it has the private key, and means this secret. */
export const proof = z.strictObject({ secretSha256: sha256 })

export const request = z.strictObject({
  secret: enrolmentSecret,
  name: runnerName,
  publicKey: newPublicKey,
  proof: z.string().max(2000),
})
/** The runner keeps `serverPublicKey` and believes job specs signed by it only. */
export const response = z.strictObject({ id: runnerId, name: runnerName, serverPublicKey: publicKey })
