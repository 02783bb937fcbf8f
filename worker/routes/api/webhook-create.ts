/** A submitter asks to be told when runs and submissions end. */
import { createdWebhook, createWebhook as request } from '../../../schema/api/webhook.ts'
import { ApiError } from '../../../schema/errors.ts'
import { allow } from '../../access/people.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { idempotencyHeaders, onceOf } from '../../http/idempotency.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { webhookSecret } from '../../keys/secrets.ts'
import { refusalOf } from '../../queries/webhooks/post-webhook.ts'
import { createWebhook } from '../../queries/webhooks/webhooks.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/webhooks',
  tags: ['Webhooks'],
  summary: 'Create a webhook',
  description:
    'Tells of the ends of what this token submits from now on, by the [Standard Webhooks](https://www.standardwebhooks.com) rules. The address must be https and public.',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: { headers: idempotencyHeaders, ...body(request) },
  responses: { 201: json(createdWebhook, 'The webhook, with its secret for the only time') },
})

export const apiWebhookCreate: Route = (app) =>
  app.openapi(route, async (c) => {
    const json = c.req.valid('json')
    const refused = refusalOf(json.url, c.env)
    if (refused) throw new ApiError('invalid_request', `url: ${refused}`)
    const once = await onceOf(c, c.req.valid('header')['idempotency-key'], json)
    const webhook = await createWebhook(c.get('db'), json, { identity: c.get('identity'), once })
    await wakeCourier(c.env)
    return c.json({ ...webhook, secret: await webhookSecret(c.env, webhook.id) }, 201)
  })
