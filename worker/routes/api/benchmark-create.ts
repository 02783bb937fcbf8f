/** An organiser makes a benchmark, or a new version of one. */
import { benchmarkView, createBenchmark as request } from '../../../schema/api/benchmark.ts'
import { allow } from '../../access/people.ts'
import { viewOf } from '../../http/catalogue.ts'
import { idempotencyHeaders, onceOf } from '../../http/idempotency.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { knowOwnBenchmarks } from '../../queries/benchmarks/known.ts'
import { createBenchmark } from '../../queries/benchmarks/organise.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/benchmarks',
  tags: ['Benchmarks'],
  summary: "Make a benchmark of this server's own",
  description:
    'Its slug begins with `own.`, and its definition never changes. Images of your own are named by `{"id": "image-folder", "digest": …}`, a classifier that other software exported to ONNX by `{"id": "onnx", "sha256": …}`, a list of images to be forgotten by `{"kind": "items", "sha256": …, "count": …}`. `replaces` makes it the next version of another one, `own.pets.v2` of `own.pets`, which is then retired.',
  security: bearer,
  middleware: [allow('organiser')] as const,
  request: { headers: idempotencyHeaders, ...body(request) },
  responses: { 200: json(benchmarkView, 'Made before'), 201: json(benchmarkView, 'Made') },
})

export const apiBenchmarkCreate: Route = (app) =>
  app.openapi(route, async (c) => {
    const json = c.req.valid('json')
    const once = await onceOf(c, c.req.valid('header')['idempotency-key'], json)
    const { id, created } = await createBenchmark(c.get('db'), json, { identity: c.get('identity'), once })
    await knowOwnBenchmarks(c.get('db'))
    return c.json(viewOf(id), created ? 201 : 200)
  })
