/** One benchmark. */
import { benchmark } from '../../../schema/benchmark.ts'
import { benchmarkOf } from '../../http/catalogue.ts'
import { bySlug } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/benchmarks/:slug',
  tags: ['Benchmarks'],
  summary: 'Read a benchmark',
  request: { params: bySlug },
  responses: { 200: json(benchmark, 'The benchmark') },
})

export const apiBenchmark: Route = (app) =>
  app.openapi(route, (c) => c.json(benchmarkOf(c.req.valid('param').slug), 200))
