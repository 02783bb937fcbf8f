/** Tokens as admins create and see them. */
import { z } from 'zod'

export const role = z.enum(['submitter', 'organiser', 'admin'])

export const createToken = z.strictObject({
  role,
  /** Shown as the author of what the token submits. */
  name: z
    .string()
    .min(1)
    .max(60)
    .regex(/^[\w .@-]+$/, 'expected letters, digits, spaces and . @ _ -'),
})

export const token = z.strictObject({
  id: z.string(),
  name: z.string(),
  role,
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
})

/** The only answer that ever holds the secret. */
export const createdToken = token.extend({ secret: z.string() })
