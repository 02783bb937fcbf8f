/** A runner ends a job without a result. */
import { path, request, response } from '../../../schema/protocol/fail.ts'
import { withJobToken } from '../../access/job-token.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { wake } from '../../durable/dispatcher-client.ts'
import { publish } from '../../durable/live-client.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { failJob } from '../../queries/jobs/fail-job.ts'
import { blamed, healInputs } from '../../queries/jobs/heal.ts'
import { claimOf } from '../../queries/parts/held.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Fail or release a job',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'What became of the job') },
})

export const apiFail: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    const claim = await claimOf(key, c.get('jobToken'), Date.now())
    const failure = await blamed(c.get('db'), key, c.req.valid('json'))
    const state = await failJob(c.get('db'), c.env.STORE, claim, failure)
    const healed = failure.reason === 'input' ? await healInputs(c.get('db'), c.env.STORE, claim) : []
    const changed = [key, ...healed]
    await Promise.all([
      ...changed.map((each) => publish(c.env, each, { changed: true })),
      wakeCourier(c.env),
      wake(c.env),
    ])
    return c.json({ state }, 200)
  })
