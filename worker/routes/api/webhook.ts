/** One webhook: whether it works, and why not. */
import { webhook } from '../../../schema/api/webhook.ts'
import { allow } from '../../access/people.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { getWebhook } from '../../queries/webhooks/webhooks.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/webhooks/:id',
  tags: ['Webhooks'],
  summary: 'Read a webhook',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: { params: byId },
  responses: { 200: json(webhook, 'The webhook') },
})

export const apiWebhook: Route = (app) =>
  app.openapi(route, async (c) =>
    c.json(await getWebhook(c.get('db'), c.req.valid('param').id, c.get('identity')), 200),
  )
