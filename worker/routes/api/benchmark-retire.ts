/** An organiser closes a benchmark to new submissions. */
import { benchmarkView, retireBenchmark as request } from '../../../schema/api/benchmark.ts'
import { allow } from '../../access/people.ts'
import { viewOf } from '../../http/catalogue.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { knowOwnBenchmarks } from '../../queries/benchmarks/known.ts'
import { retireBenchmark } from '../../queries/benchmarks/organise.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/benchmarks/:slug/retire',
  tags: ['Benchmarks'],
  summary: "Retire a benchmark of this server's own",
  description: 'It takes no submissions any more, with a reason that everybody reads. Runs go on, and its board stays.',
  security: bearer,
  middleware: [allow('organiser')] as const,
  request: { params: bySlug, ...body(request) },
  responses: { 200: json(benchmarkView, 'The benchmark as it is now') },
})

export const apiBenchmarkRetire: Route = (app) =>
  app.openapi(route, async (c) => {
    const { slug } = c.req.valid('param')
    const { reason } = c.req.valid('json')
    await retireBenchmark(c.get('db'), slug, { reason, identity: c.get('identity'), now: Date.now() })
    await knowOwnBenchmarks(c.get('db'))
    return c.json(viewOf(slug), 200)
  })
