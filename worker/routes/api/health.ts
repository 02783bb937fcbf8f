/** Whether the Worker answers and reaches its database. */
import { sql } from 'drizzle-orm'
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
    await c.get('db').run(sql`SELECT 1`)
    return c.json({ status: 'ok' as const }, 200)
  })
