/** A runner ends a job with its result. */
import { path, request, response } from '../../schema/protocol/finish.ts'
import { wakeCourier } from '../courier.ts'
import { wake } from '../dispatcher.ts'
import { withJobToken } from '../job-token.ts'
import { publish } from '../live.tsx'
import { byKey } from '../params.ts'
import { finishJob } from '../queries/end-job.ts'
import { claimOf } from '../queries/held.ts'
import { deliveryOf, openManifest } from '../queries/manifests.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Finish a job',
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
    await Promise.all([publish(c.env, key, { changed: true }), wakeCourier(c.env), wake(c.env)])
    return c.json({ state: 'done' as const }, 200)
  })
