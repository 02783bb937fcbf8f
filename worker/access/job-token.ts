/** The job token as a credential: which delivery is speaking. Every verb about a leased job needs it and nothing else. */
import { createMiddleware } from 'hono/factory'
import { ApiError } from '../../schema/errors.ts'
import { jobToken } from '../../schema/protocol/lease.ts'
import type { AppEnv } from '../bindings/env.ts'

/** Sets `jobToken`. Whether it still leases anything is asked by the statement that writes. */
export const withJobToken = createMiddleware<AppEnv>(async (c, next) => {
  const header = c.req.header('authorization') ?? ''
  const token = jobToken.safeParse(header.replace(/^Bearer /, '')).data
  if (!token) {
    const got = header ? 'another credential' : 'none'
    throw new ApiError('unauthorized', `expected the job's own token "Authorization: Bearer pal_job_...", got ${got}`)
  }
  c.set('jobToken', token)
  await next()
})
