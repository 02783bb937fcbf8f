/** A runner asks for a job. */
import { ApiError } from '../../../schema/errors.ts'
import { SELF_TEST_SHA256 } from '../../../schema/probe.ts'
import { path, request, response } from '../../../schema/protocol/lease.ts'
import { sign } from '../../../schema/signature.ts'
import { asRunner } from '../../access/runners.ts'
import { settingsOf } from '../../bindings/env.ts'
import { leaseEnds } from '../../durable/dispatcher-client.ts'
import { publish } from '../../durable/live-client.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { signingKeyOf } from '../../keys/signing.ts'
import { leaseJob } from '../../queries/jobs/lease.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Lease the next job',
  security: bearer,
  middleware: [asRunner] as const,
  request: body(request),
  responses: { 200: json(response, 'A job, or how long to wait') },
})

export const apiLease: Route = (app) =>
  app.openapi(route, async (c) => {
    const request = c.req.valid('json')
    if (request.probe.selfTest !== SELF_TEST_SHA256) {
      throw new ApiError(
        'forbidden',
        `the self-test of this runner gave ${request.probe.selfTest}, expected ${SELF_TEST_SHA256}: use the release that matches the server, and see \`palimpsest runner --check\``,
      )
    }
    const [settings, now] = [settingsOf(c.env), Date.now()]
    const runner = c.get('runner')
    const job = await leaseJob(c.get('db'), request, { runner, settings, now })
    if (!job) return c.json({ kind: 'none' as const, retryAfterMs: settings.POLL_MS, standing: runner.state }, 200)
    await Promise.all([leaseEnds(c.env, now + job.lease.leaseMs), publish(c.env, job.key, { changed: true })])
    const { lease, ...order } = job
    const signed = await sign('job', order, signingKeyOf(c.env))
    return c.json({ kind: 'job' as const, key: job.key, order: signed, lease }, 200)
  })
