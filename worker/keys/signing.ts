/** The server's own Ed25519 key, from the secret SIGNING_KEY: signs job specs and access tokens. */
import { jsonOrNull } from '../../runner/words/json.ts'
import { ApiError } from '../../schema/errors.ts'
import { type PrivateKey, privateKey } from '../../schema/signature.ts'

export function signingKeyOf({ SIGNING_KEY }: { SIGNING_KEY?: string }): PrivateKey {
  const { data } = privateKey.safeParse(jsonOrNull(SIGNING_KEY ?? ''))
  if (data) return data
  const found = SIGNING_KEY ? 'something else' : 'nothing'
  throw new ApiError(
    'not_configured',
    `the server's secret SIGNING_KEY should hold an Ed25519 private key as JWK, but holds ${found}; its admin sets it with "wrangler secret put SIGNING_KEY"`,
  )
}
