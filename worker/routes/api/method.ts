/** One method with the JSON Schema of its parameters. */
import { method } from '../../../schema/api/method.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { describeMethod } from '../../queries/runs/methods.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/methods/:id',
  tags: ['Methods'],
  summary: 'Read a method',
  request: { params: byId },
  responses: { 200: json(method, 'The method') },
})

export const apiMethod: Route = (app) => app.openapi(route, (c) => c.json(describeMethod(c.req.valid('param').id), 200))
