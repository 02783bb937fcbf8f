/** All benchmarks. */
import { z } from 'zod'
import { benchmark } from '../../../schema/benchmark.ts'
import { benchmarks } from '../../http/catalogue.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/benchmarks',
  tags: ['Benchmarks'],
  summary: 'List benchmarks',
  responses: { 200: json(z.strictObject({ benchmarks: z.array(benchmark) }), 'All of them') },
})

export const apiBenchmarks: Route = (app) =>
  app.openapi(route, (c) => c.json({ benchmarks: [...benchmarks.values()] }, 200))
