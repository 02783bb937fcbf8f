/** A runner asks for a job. */
import type { z } from 'zod'
import { ApiError } from '../../../schema/errors.ts'
import { SELF_TEST_SHA256 } from '../../../schema/probe.ts'
import { path, request, response } from '../../../schema/protocol/lease.ts'
import { OLDEST_PROTOCOL, PROTOCOL, releases } from '../../../schema/protocol/version.ts'
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
    requireProtocol(request)
    if (request.probe.selfTest !== SELF_TEST_SHA256) {
      throw new ApiError(
        'forbidden',
        `the self-test of this runner gave ${request.probe.selfTest}, expected ${SELF_TEST_SHA256}: this machine computes something else than it should; see \`palimpsest runner --check\`, and update palimpsest there if it is older than ${releases[PROTOCOL]}`,
      )
    }
    const [settings, now] = [settingsOf(c.env), Date.now()]
    const runner = c.get('runner')
    const job = await leaseJob(c.get('db'), request, { runner, settings, now })
    if (!job) {
      const { state: standing, pauseReason } = runner
      const why = pauseReason === null ? {} : { pauseReason }
      return c.json({ kind: 'none' as const, retryAfterMs: settings.POLL_MS, standing, ...why }, 200)
    }
    await Promise.all([leaseEnds(c.env, now + job.lease.leaseMs), publish(c.env, job.key, { changed: true })])
    const { lease, ...order } = job
    const signed = await sign('job', order, signingKeyOf(c.env))
    return c.json({ kind: 'job' as const, key: job.key, order: signed, lease }, 200)
  })

/** A runner that could not carry out any order is told what it needs; the code ends it, so that somebody sees. */
function requireProtocol({ protocol, probe }: Pick<z.infer<typeof request>, 'protocol' | 'probe'>): void {
  if (protocol >= OLDEST_PROTOCOL) return
  const since = releases[OLDEST_PROTOCOL]!
  throw new ApiError(
    'runner_outdated',
    `this server needs palimpsest ${since} or newer (protocol ${OLDEST_PROTOCOL}); this runner is palimpsest ${probe.versions.palimpsest ?? 'of an unknown release'} (protocol ${protocol}): update it and start it again, it stays enrolled`,
    { oldestProtocol: OLDEST_PROTOCOL, since },
  )
}
