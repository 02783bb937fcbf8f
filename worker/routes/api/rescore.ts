/** An admin has the metrics of a board computed anew from stored evidence, portion by portion. */
import { rescore as request, rescoreReport } from '../../../schema/api/score.ts'
import { allow } from '../../access/people.ts'
import { targetOf } from '../../http/catalogue.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { rescore } from '../../queries/scores/rescore.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/benchmarks/:slug/rescore',
  tags: ['Administration'],
  summary: 'Compute the metrics of a benchmark or suite anew from stored evidence; a dry run unless told otherwise',
  description:
    'Looks at `limit` evaluations, fewer when they took long; `next` of the answer is `after` of the next call. A value that differs from the newest under its identity is added beside it, by `server`; what is as it was adds nothing, so that a call can be sent again. `left` names what a machine with the engine must compute: `palimpsest rescore --server` does.',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { params: bySlug, ...body(request) },
  responses: { 200: json(rescoreReport, 'What changed, or would') },
})

export const apiRescore: Route = (app) =>
  app.openapi(route, async (c) => {
    const target = targetOf(c.req.valid('param').slug)
    const context = { db: c.get('db'), store: c.env.STORE, now: Date.now() }
    return c.json(await rescore(target, c.req.valid('json'), context), 200)
  })
