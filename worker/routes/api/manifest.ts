/** The manifest of a finished job, which anyone can verify. */
import { storedManifest } from '../../../schema/protocol/manifest.ts'
import { viewerOf } from '../../access/people.ts'
import { byKey } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { requireReadableJob } from '../../queries/parts/readable.ts'
import { getManifest } from '../../queries/runs/manifests.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/jobs/:key/manifest',
  tags: ['Evidence'],
  summary: 'Read a manifest',
  description:
    'What the runner signed: spec, log and result with the hashes of every artifact, as a compact JWS (EdDSA, Ed25519) by the key of the runner.',
  request: { params: byKey },
  responses: { 200: json(storedManifest, 'The signature, what it says, and whose key it is by') },
})

export const apiManifest: Route = (app) =>
  app.openapi(route, async (c) => {
    const { key } = c.req.valid('param')
    await requireReadableJob(c.get('db'), key, await viewerOf(c))
    return c.json(await getManifest(c.get('db'), key), 200)
  })
