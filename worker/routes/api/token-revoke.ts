/** An admin revokes a token. */
import { token } from '../../../schema/api/token.ts'
import { allow } from '../../access/people.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { publish } from '../../durable/live-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { revokeToken } from '../../queries/people/tokens.ts'

const route = apiRoute({
  method: 'delete',
  path: '/api/v1/tokens/:id',
  tags: ['Tokens'],
  summary: 'Revoke a token',
  description: 'Its runs that have not ended are cancelled; what it published stays until it is withdrawn.',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { params: byId },
  responses: { 200: json(token, 'The token as it is now') },
})

export const apiTokenRevoke: Route = (app) =>
  app.openapi(route, async (c) => {
    const { token: revoked, changed } = await revokeToken(c.get('db'), c.req.valid('param').id, Date.now())
    await Promise.all([...changed.map((key) => publish(c.env, key, { changed: true })), wakeCourier(c.env)])
    return c.json(revoked, 200)
  })
