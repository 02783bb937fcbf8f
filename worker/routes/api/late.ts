/** A runner hands in a result that came too late. */
import { path, request, response } from '../../../schema/protocol/late.ts'
import { asRunner } from '../../access/runners.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { keepLateResult } from '../../queries/jobs/late-result.ts'
import { openManifest } from '../../queries/runs/manifests.ts'

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
    const db = c.get('db')
    const { key } = c.req.valid('param')
    const { manifest } = c.req.valid('json')
    const runnerId = c.get('runner').id
    const { attempt, result } = await openManifest(db, { key, runnerId }, manifest)
    await keepLateResult(db, key, { attempt, result, manifest }, { runnerId, now: Date.now() })
    return c.json({ state: 'kept' as const }, 200)
  })
