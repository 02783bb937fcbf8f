/** An admin creates a token; its secret is shown once. */
import { createdToken, createToken as request } from '../../schema/api/token.ts'
import { allow } from '../auth.ts'
import { createToken } from '../queries/tokens.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/tokens',
  tags: ['Tokens'],
  summary: 'Create a token',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: body(request),
  responses: { 201: json(createdToken, 'The token, with its secret for the only time') },
})

export const apiTokenCreate: Route = (app) =>
  app.openapi(route, async (c) => c.json(await createToken(c.get('db'), c.req.valid('json')), 201))
