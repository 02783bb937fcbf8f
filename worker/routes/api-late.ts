/** A runner hands in a result that came too late. */
import { path, request, response } from '../../schema/protocol/late.ts'
import { asRunner } from '../auth.ts'
import { byKey } from '../params.ts'
import { keepLateResult } from '../queries/late-result.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Hand in a late result',
  security: bearer,
  middleware: [asRunner] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'Kept as evidence') },
})

export const apiLate: Route = (app) =>
  app.openapi(route, async (c) => {
    const context = { runnerId: c.get('runner').id, now: Date.now() }
    await keepLateResult(c.get('db'), c.req.valid('param').key, c.req.valid('json'), context)
    return c.json({ state: 'kept' as const }, 200)
  })
