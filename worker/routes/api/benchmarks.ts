/** All benchmarks. */
import { benchmarkList } from '../../../schema/api/benchmark.ts'
import { allBenchmarks } from '../../http/catalogue.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/benchmarks',
  tags: ['Benchmarks'],
  summary: 'List benchmarks',
  responses: { 200: json(benchmarkList, 'Those of the release, then those of the server') },
})

export const apiBenchmarks: Route = (app) => app.openapi(route, (c) => c.json({ benchmarks: allBenchmarks() }, 200))
