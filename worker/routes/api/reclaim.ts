/** A runner goes on with a job whose lease ran out. */
import { path, request, response } from '../../../schema/protocol/reclaim.ts'
import { asRunner } from '../../access/runners.ts'
import { settingsOf } from '../../bindings/env.ts'
import { leaseEnds } from '../../durable/dispatcher-client.ts'
import { publish } from '../../durable/live-client.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { reclaimJob } from '../../queries/jobs/lease.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Go on with a job whose lease ran out',
  security: bearer,
  middleware: [asRunner] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'A new lease of the same job') },
})

export const apiReclaim: Route = (app) =>
  app.openapi(route, async (c) => {
    const [settings, now] = [settingsOf(c.env), Date.now()]
    const context = { runner: c.get('runner'), settings, now }
    const { key } = c.req.valid('param')
    const answer = await reclaimJob(c.get('db'), key, c.req.valid('json'), context)
    await Promise.all([leaseEnds(c.env, now + answer.lease.leaseMs), publish(c.env, key, { changed: true })])
    return c.json(answer, 200)
  })
