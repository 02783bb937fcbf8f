/** The server's own Ed25519 key, from the secret SIGNING_KEY: signs job specs and access tokens. */
import { ApiError } from '../../schema/errors.ts'
import { type PrivateKey, privateKey } from '../../schema/signature.ts'

export function signingKeyOf({ SIGNING_KEY }: { SIGNING_KEY?: string }): PrivateKey {
  const { data } = privateKey.safeParse(parsed(SIGNING_KEY))
  if (data) return data
  const found = SIGNING_KEY ? 'something else' : 'nothing'
  throw new ApiError(
    'not_configured',
    `the server's secret SIGNING_KEY should hold an Ed25519 private key as JWK, but holds ${found}; its admin sets it with "wrangler secret put SIGNING_KEY"`,
  )
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return null
  }
}
