/** A runner trades a signed assertion for an access token. */
import { path, request, response } from '../../../schema/protocol/access.ts'
import { tradeAssertion } from '../../access/runners.ts'
import { apiRoute, body, json, type Route } from '../../http/route.ts'
import { signingKeyOf } from '../../keys/signing.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Trade an assertion for an access token',
  request: body(request),
  responses: { 200: json(response, 'The access token and how long it lives') },
})

export const apiAccess: Route = (app) =>
  app.openapi(route, async (c) => {
    const { assertion } = c.req.valid('json')
    return c.json(await tradeAssertion(c.get('db'), signingKeyOf(c.env), assertion, Date.now()), 200)
  })
