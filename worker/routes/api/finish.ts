/** A runner ends a job with its result. */
import { path, request, response } from '../../../schema/protocol/finish.ts'
import { withJobToken } from '../../access/job-token.ts'
import { settingsOf } from '../../bindings/env.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { wake } from '../../durable/dispatcher-client.ts'
import { publish } from '../../durable/live-client.ts'
import { scoreBesideRetrain } from '../../durable/scorer-client.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { finishJob } from '../../queries/jobs/end-job.ts'
import { afterEnd } from '../../queries/jobs/repeats.ts'
import { claimOf } from '../../queries/parts/held.ts'
import { deliveryOf, openManifest } from '../../queries/runs/manifests.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Finish a job',
  description:
    'Refused with `invalid_result` where a file is not what its name says, evidence is not of the examples that the stage asks for, or a metric is not what the evidence gives: the server computes metrics itself, but for those that take too long here.',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'Stored') },
})

export const apiFinish: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    const claim = await claimOf(key, c.get('jobToken'), Date.now())
    const { manifest } = c.req.valid('json')
    const { result, log } = await openManifest(c.get('db'), await deliveryOf(c.get('db'), claim), manifest)
    await finishJob(c.get('db'), c.env.STORE, claim, { result, log, manifest })
    const { REPEAT_SHARE: share } = settingsOf(c.env)
    // The result is in, whatever becomes of the comparison.
    await afterEnd(c.get('db'), c.env.STORE, { key, share, now: claim.now }).catch(console.error)
    await Promise.all([
      publish(c.env, key, { changed: true }),
      wakeCourier(c.env),
      wake(c.env),
      scoreBesideRetrain(c.env, key),
    ])
    return c.json({ state: 'done' as const }, 200)
  })
