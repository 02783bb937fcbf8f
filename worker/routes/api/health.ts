/** Whether the Worker answers and reaches its database. */
import { z } from 'zod'
import { apiRoute, json, type Route } from '../../http/route.ts'

const route = apiRoute({
  method: 'get',
  path: '/health',
  tags: ['Service'],
  summary: 'Is the service up?',
  responses: { 200: json(z.strictObject({ status: z.literal('ok') }), 'It is, and so is its database') },
})

export const apiHealth: Route = (app) =>
  app.openapi(route, async (c) => {
    await c.env.DB.prepare('SELECT 1').run()
    return c.json({ status: 'ok' as const }, 200)
  })
