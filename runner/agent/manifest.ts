/** The manifest of a delivery: what came of it, as this runner answers for it. */

import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import type { Order } from '../../schema/protocol/lease.ts'
import type { Manifest } from '../../schema/protocol/manifest.ts'
import { sign } from '../../schema/signature.ts'
import type { Identity } from './identity.ts'

/** As a compact JWS; `attempt` is that of the newest lease, since a reclaimed job is a new delivery. */
export async function signedManifest(
  { privateKey }: Identity,
  { key, runner, spec }: Order,
  outcome: Pick<Manifest, 'attempt' | 'log' | 'began' | 'result'>,
): Promise<string> {
  const specSha256 = await sha256Hex(canonicalJson(spec))
  const said: Manifest = { job: key, runner, specSha256, ...outcome }
  return sign('result', said, privateKey)
}
