/** A submitter's webhooks. */
import { webhookList } from '../../../schema/api/webhook.ts'
import { allow } from '../../access/people.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { listWebhooks } from '../../queries/webhooks/webhooks.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/webhooks',
  tags: ['Webhooks'],
  summary: 'List your webhooks',
  security: bearer,
  middleware: [allow('submitter')] as const,
  responses: { 200: json(webhookList, 'Oldest first') },
})

export const apiWebhookList: Route = (app) =>
  app.openapi(route, async (c) => c.json(await listWebhooks(c.get('db'), c.get('identity')), 200))
