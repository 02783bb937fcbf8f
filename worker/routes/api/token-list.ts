/** An admin sees all tokens, without their secrets. */
import { z } from 'zod'
import { token } from '../../../schema/api/token.ts'
import { allow } from '../../access/people.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { listTokens } from '../../queries/people/tokens.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/tokens',
  tags: ['Tokens'],
  summary: 'List tokens',
  security: bearer,
  middleware: [allow('admin')] as const,
  responses: { 200: json(z.strictObject({ tokens: z.array(token) }), 'Oldest first') },
})

export const apiTokenList: Route = (app) => app.openapi(route, async (c) => c.json(await listTokens(c.get('db')), 200))
