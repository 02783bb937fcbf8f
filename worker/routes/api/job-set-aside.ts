/** An admin sets the result of a stage aside. */
import { setAside as request, setAsideStages } from '../../../schema/api/run.ts'
import { allow } from '../../access/people.ts'
import { wake } from '../../durable/dispatcher-client.ts'
import { publish } from '../../durable/live-client.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { setAsideStage } from '../../queries/jobs/set-aside.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/jobs/:key/set-aside',
  tags: ['Runs'],
  summary: 'Set the result of a stage aside',
  description:
    'The result counts no more, nor does any that was computed from it; the stages are computed anew, by other runners where there are any. Boards say so, with the reason.',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(setAsideStages, 'The stages that wait for another result') },
})

export const apiJobSetAside: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    const { reason } = c.req.valid('json')
    const stages = await setAsideStage(c.get('db'), key, { reason, now: Date.now() })
    await Promise.all([...stages.map((each) => publish(c.env, each, { changed: true })), wake(c.env)])
    return c.json({ stages }, 200)
  })
