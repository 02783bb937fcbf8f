/** The server's public key: what runners pin at enrolment, and what signs job specs. */
import { z } from 'zod'
import { fingerprint, publicKey } from '../signature.ts'

export const path = '/api/v1/server-key'
export const response = z.strictObject({ publicKey, fingerprint })
