/** Evidence is public: anyone may read an artifact by its hash, whole or a range of it. */
import { ApiError, errorBody } from '../../../schema/errors.ts'
import { params, path } from '../../../schema/protocol/upload.ts'
import { rangeOf } from '../../http/range.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { artifactOf } from '../../queries/artifacts/artifacts.ts'

const binary = { 'application/octet-stream': { schema: { type: 'string' as const, format: 'binary' } } }

const route = apiRoute({
  method: 'get',
  path,
  tags: ['Evidence'],
  summary: 'Read an artifact (HEAD tells whether it exists; Range: bytes=from-to reads a part)',
  request: { params },
  responses: {
    200: { description: 'The bytes', content: binary },
    206: { description: 'The bytes of the range', content: binary },
    416: json(errorBody, 'The range lies outside'),
  },
})

export const apiArtifact: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    const name = /^[a-z0-9.-]{1,80}$/.exec(c.req.query('name') ?? '')?.[0] ?? sha256
    const artifact = await artifactOf(c.get('db'), sha256)
    if (!artifact) throw new ApiError('not_found', `no artifact ${sha256}`)
    const range = rangeOf(c.req.header('range'), artifact.bytes)
    const { offset, length } = range ?? { offset: 0, length: artifact.bytes }
    let body: ReadableStream | null = null
    if (c.req.method !== 'HEAD') {
      const object = await c.env.STORE.get(artifact.path, range ? { range } : {})
      if (!object) throw new ApiError('not_found', `the artifact ${sha256} was removed`)
      body = object.body
    }
    // Only what a page shows has a type of its own; browsers are told not to guess.
    const type = name.endsWith('.png') ? 'image/png' : 'application/octet-stream'
    return new Response(body, {
      status: range ? 206 : 200,
      headers: {
        'content-type': type,
        'content-length': String(length),
        ...(range && { 'content-range': `bytes ${offset}-${offset + length - 1}/${artifact.bytes}` }),
        'accept-ranges': 'bytes',
        'content-disposition': `attachment; filename="${name}"`,
        'cache-control': 'public, max-age=31536000, immutable',
        etag: `"${sha256}"`,
      },
    })
  })
