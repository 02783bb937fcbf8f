/** Access tokens of a runner: traded for assertions that its key signs, kept until shortly before they expire, and renewed when
 *  the server refuses one. */
import { randomBytes } from 'node:crypto'
import { ASSERTION_SECONDS } from '../../schema/protocol/access.ts'
import { fingerprintOf, sign } from '../../schema/signature.ts'
import { type Access, type Client, RemoteError } from './client.ts'
import type { Identity } from './identity.ts'

/** A token is not used in its last minute. */
const MARGIN_MS = 60_000

export interface AccessOptions {
  /** Asks without credentials. */
  client: Client
  identity: Identity
  onTrouble(message: string): void
}

export function runnerAccess({ client, identity, onTrouble }: AccessOptions): Access {
  /** How far this machine's clock is ahead of the server's, once the server has complained. */
  let aheadMs = 0
  let held: { token: string; until: number } | null = null
  let trading: Promise<string> | null = null

  const assertion = async () => {
    const iat = Math.floor((Date.now() - aheadMs) / 1000)
    const aud = await fingerprintOf(identity.serverPublicKey)
    const jti = randomBytes(16).toString('hex')
    const claims = { iss: identity.id, aud, iat, exp: iat + ASSERTION_SECONDS, jti }
    return sign('assertion', claims, identity.privateKey, identity.id)
  }

  async function trade(): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        const asked = performance.now()
        // An assertion is good once and for a minute: a new try needs a new one, so the caller tries again, not the client.
        const request = { assertion: await assertion() }
        const { token, expiresInMs } = await client.access(request, { retryForMs: 0, timeoutMs: 10_000 })
        held = { token, until: asked + expiresInMs - MARGIN_MS }
        return token
      } catch (error) {
        if (tries >= 3 || !(error instanceof RemoteError) || !mayCorrect(error)) throw error
      }
    }
  }

  /** Whether another assertion may do better. */
  function mayCorrect({ code, serverTime }: RemoteError): boolean {
    if (code === 'assertion_replayed') return true
    if (code !== 'clock_skew' || serverTime === null) return false
    aheadMs = Date.now() - serverTime
    const seconds = Math.round(Math.abs(aheadMs) / 1000)
    const way = aheadMs > 0 ? 'ahead of' : 'behind'
    onTrouble(
      `this machine's clock is ${seconds} s ${way} the server's; the server's time is used, but set the clock right`,
    )
    return true
  }

  return {
    async token() {
      if (held && performance.now() < held.until) return held.token
      trading ??= trade().finally(() => {
        trading = null
      })
      return trading
    },
    refused(token) {
      if (held?.token === token) held = null
    },
  }
}
