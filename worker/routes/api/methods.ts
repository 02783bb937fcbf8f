/** All methods. */
import { z } from 'zod'
import { method } from '../../../schema/api/method.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { listMethods } from '../../queries/runs/methods.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/methods',
  tags: ['Methods'],
  summary: 'List methods',
  responses: { 200: json(z.strictObject({ methods: z.array(method) }), 'All of them') },
})

export const apiMethods: Route = (app) => app.openapi(route, (c) => c.json({ methods: listMethods() }, 200))
