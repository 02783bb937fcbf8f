/** One benchmark. */
import { benchmarkView } from '../../../schema/api/benchmark.ts'
import { viewOf } from '../../http/catalogue.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/benchmarks/:slug',
  tags: ['Benchmarks'],
  summary: 'Read a benchmark',
  request: { params: bySlug },
  responses: { 200: json(benchmarkView, 'The benchmark') },
})

export const apiBenchmark: Route = (app) => app.openapi(route, (c) => c.json(viewOf(c.req.valid('param').slug), 200))
