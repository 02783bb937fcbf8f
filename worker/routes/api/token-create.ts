/** An admin creates a token; its secret is shown once. */
import { createdToken, createToken as request } from '../../../schema/api/token.ts'
import { allow } from '../../access/people.ts'
import { idempotencyHeaders, onceOf } from '../../http/idempotency.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { tokenSecret } from '../../keys/secrets.ts'
import { createToken } from '../../queries/people/tokens.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/tokens',
  tags: ['Tokens'],
  summary: 'Create a token',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { headers: idempotencyHeaders, ...body(request) },
  responses: { 201: json(createdToken, 'The token, with its secret for the only time') },
})

export const apiTokenCreate: Route = (app) =>
  app.openapi(route, async (c) => {
    const json = c.req.valid('json')
    const once = await onceOf(c, c.req.valid('header')['idempotency-key'], json)
    const secret = await tokenSecret(c.env, json.role, once)
    return c.json(await createToken(c.get('db'), json, { secret, once }), 201)
  })
