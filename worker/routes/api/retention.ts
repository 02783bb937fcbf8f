/** An admin removes what nothing needs any more, or asks what would be removed. */
import { applyRetention as request, retentionReport } from '../../../schema/api/retention.ts'
import { allow } from '../../access/people.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { applyRetention } from '../../queries/artifacts/retention.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/retention',
  tags: ['Administration'],
  summary: 'Remove what nothing needs any more; a dry run unless told otherwise',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: body(request),
  responses: { 200: json(retentionReport, 'What was removed, or would be') },
})

export const apiRetention: Route = (app) =>
  app.openapi(route, async (c) => {
    const { dryRun } = c.req.valid('json')
    return c.json(await applyRetention({ db: c.get('db'), store: c.env.STORE, now: Date.now(), dryRun }), 200)
  })
