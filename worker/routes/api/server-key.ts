/** The key that this server signs with. */
import { path, response } from '../../../schema/protocol/server-key.ts'
import { fingerprintOf, publicKeyOf } from '../../../schema/signature.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { signingKeyOf } from '../../keys/signing.ts'

const route = apiRoute({
  method: 'get',
  path,
  tags: ['Agent protocol'],
  summary: "The server's public key",
  responses: { 200: json(response, 'An Ed25519 key as JWK, and its fingerprint by RFC 7638') },
})

export const apiServerKey: Route = (app) =>
  app.openapi(route, async (c) => {
    const publicKey = publicKeyOf(signingKeyOf(c.env))
    return c.json({ publicKey, fingerprint: await fingerprintOf(publicKey) }, 200)
  })
