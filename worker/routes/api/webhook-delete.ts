/** A submitter wants to be told no more. */
import { webhook } from '../../../schema/api/webhook.ts'
import { allow } from '../../access/people.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { deleteWebhook } from '../../queries/webhooks/webhooks.ts'

const route = apiRoute({
  method: 'delete',
  path: '/api/v1/webhooks/:id',
  tags: ['Webhooks'],
  summary: 'Delete a webhook with its deliveries',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: { params: byId },
  responses: { 200: json(webhook, 'What it was') },
})

export const apiWebhookDelete: Route = (app) =>
  app.openapi(route, async (c) =>
    c.json(await deleteWebhook(c.get('db'), c.req.valid('param').id, c.get('identity')), 200),
  )
