/** Enrolments as admins create them. */
import { z } from 'zod'
import { enrolmentSecret } from '../protocol/enrol.ts'
import { labels } from './runner.ts'

export const createEnrolment = z.strictObject({
  /** For the runner that enrols with it. */
  labels: labels.default([]),
  expiresInSeconds: z
    .int()
    .min(60)
    .max(30 * 24 * 3600)
    .default(3600),
})

/** The only answer that ever holds the secret. */
export const createdEnrolment = z.strictObject({
  id: z.string(),
  secret: enrolmentSecret,
  labels,
  createdAt: z.string(),
  expiresAt: z.string(),
})
