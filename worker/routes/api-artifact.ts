/** Evidence is public: anyone may read an artifact by its hash. */
import { ApiError } from '../../schema/errors.ts'
import { params, path } from '../../schema/protocol/upload.ts'
import { pathOfArtifact } from '../queries/artifacts.ts'
import { apiRoute, type Route } from '../route.ts'

const route = apiRoute({
  method: 'get',
  path,
  tags: ['Evidence'],
  summary: 'Read an artifact (HEAD tells whether it exists)',
  request: { params },
  responses: {
    200: {
      description: 'The bytes',
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    },
  },
})

export const apiArtifact: Route = (app) =>
  app.openapi(route, async (c) => {
    const { sha256 } = c.req.valid('param')
    const name = /^[a-z0-9.-]{1,80}$/.exec(c.req.query('name') ?? '')?.[0] ?? sha256
    const head = c.req.method === 'HEAD'
    const object = await (head ? c.env.STORE.head(pathOfArtifact(sha256)) : c.env.STORE.get(pathOfArtifact(sha256)))
    if (!object) throw new ApiError('not_found', `no artifact ${sha256}`)
    // Only what a page shows has a type of its own; browsers are told not to guess.
    const type = name.endsWith('.png') ? 'image/png' : 'application/octet-stream'
    return new Response('body' in object ? (object as R2ObjectBody).body : null, {
      headers: {
        'content-type': type,
        'content-length': String(object.size),
        'content-disposition': `attachment; filename="${name}"`,
        'cache-control': 'public, max-age=31536000, immutable',
        etag: `"${sha256}"`,
      },
    })
  })
