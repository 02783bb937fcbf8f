/** A runner leaves a checkpoint of a long stage. */
import { path, request, response } from '../../../schema/protocol/checkpoint.ts'
import { withJobToken } from '../../access/job-token.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { keepCheckpoint } from '../../queries/jobs/checkpoints.ts'
import { claimOf } from '../../queries/parts/held.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Leave a checkpoint',
  security: bearer,
  middleware: [withJobToken] as const,
  request: { params: byKey, ...body(request) },
  responses: { 200: json(response, 'Kept') },
})

export const apiCheckpoint: Route = (app) =>
  app.openapi(route, async (c) => {
    const checkpoint = c.req.valid('json')
    const claim = await claimOf(c.req.valid('param').key, c.get('jobToken'), Date.now())
    await keepCheckpoint(c.get('db'), c.env.STORE, claim, checkpoint)
    return c.json({ position: checkpoint.position }, 200)
  })
