/** The queue and the runners. */
import { queue } from '../../../schema/api/queue.ts'
import { viewerOf } from '../../access/people.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { getQueue } from '../../queries/queue/queue.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/queue',
  tags: ['Service'],
  summary: 'What runs, what waits, and who works',
  responses: { 200: json(queue, 'In the order in which jobs will be leased') },
})

export const apiQueue: Route = (app) =>
  app.openapi(route, async (c) => c.json(await getQueue(c.get('db'), await viewerOf(c), Date.now()), 200))
