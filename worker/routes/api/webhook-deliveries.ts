/** The delivery log of a webhook. */
import { listQuery } from '../../../schema/api/page.ts'
import { webhookMessageList } from '../../../schema/api/webhook.ts'
import { allow } from '../../access/people.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { listMessages } from '../../queries/webhooks/webhooks.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/webhooks/:id/deliveries',
  tags: ['Webhooks'],
  summary: 'Read what was sent to a webhook, with every attempt',
  description: 'Kept for 30 days.',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: { params: byId, query: listQuery.pick({ limit: true, before: true }) },
  responses: { 200: json(webhookMessageList, 'Newest first') },
})

export const apiWebhookDeliveries: Route = (app) =>
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await listMessages(c.get('db'), id, c.get('identity'), c.req.valid('query')), 200)
  })
