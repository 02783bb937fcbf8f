/** Sends one message of a webhook once more. */
import { z } from 'zod'
import { webhookMessage } from '../../../schema/api/webhook.ts'
import { allow } from '../../access/people.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { replayMessage } from '../../queries/webhooks/webhooks.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/webhooks/:id/deliveries/:message/replay',
  tags: ['Webhooks'],
  summary: 'Send a message once more',
  description: 'It keeps its id and payload. A webhook that was disabled is enabled again.',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: { params: byId.extend({ message: z.string().min(1).max(120) }) },
  responses: { 200: json(webhookMessage, 'Due now') },
})

export const apiWebhookReplay: Route = (app) =>
  app.openapi(route, async (c) => {
    const message = await replayMessage(c.get('db'), c.req.valid('param'), c.get('identity'), Date.now())
    await wakeCourier(c.env)
    return c.json(message, 200)
  })
