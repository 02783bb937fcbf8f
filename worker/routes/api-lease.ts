/** A runner asks for a job. */
import { path, request, response } from '../../schema/protocol/lease.ts'
import { allow } from '../auth.ts'
import { publish } from '../live.tsx'
import { leaseJob, RETRY_AFTER_MS } from '../queries/leases.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Lease the next job',
  security: bearer,
  middleware: [allow('runner')] as const,
  request: body(request),
  responses: { 200: json(response, 'A job, or how long to wait') },
})

export const apiLease: Route = (app) =>
  app.openapi(route, async (c) => {
    const job = await leaseJob(c.get('db'), c.req.valid('json'), c.get('identity'))
    if (job) await publish(c.env, job.key, { changed: true })
    return c.json(job ? { kind: 'job' as const, job } : { kind: 'none' as const, retryAfterMs: RETRY_AFTER_MS }, 200)
  })
