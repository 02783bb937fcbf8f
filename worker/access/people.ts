/** Access of people: who is asking, by a bearer token `pal_<role>_<random>`, and may they. */
import { eq } from 'drizzle-orm'
import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { ApiError } from '../../schema/errors.ts'
import { sha256Hex } from '../../schema/parts/hash.ts'
import { type Role, tokens } from '../../schema/tables/tokens.ts'
import type { AppEnv, Identity, Viewer } from '../bindings/env.ts'

/** Equal in time that does not depend on where two strings of one length differ. */
function sameDigest(a: string, b: string): boolean {
  const encoder = new TextEncoder()
  const [left, right] = [encoder.encode(a), encoder.encode(b)]
  return left.byteLength === right.byteLength && crypto.subtle.timingSafeEqual(left, right)
}

/** `an admin token`. */
const aToken = (role: string) => `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role} token`

/** Lets a request pass whose token has one of the roles; an admin may do what all others may. */
export const allow = (...roles: Role[]) =>
  createMiddleware<AppEnv>(async (c, next) => {
    const identity = await viewerOf(c)
    if (!identity) {
      const got = c.req.header('authorization') ? 'another form of it' : 'none'
      throw new ApiError('unauthorized', `expected the header "Authorization: Bearer pal_...", got ${got}`)
    }
    if (!roles.includes(identity.role) && identity.role !== 'admin') {
      throw new ApiError('forbidden', `expected ${aToken(roles.join(' or '))}, got ${aToken(identity.role)}`)
    }
    c.set('identity', identity)
    await next()
  })

/** Whose token a request shows; null where it shows none. A token that is no longer good is refused. */
export async function viewerOf(c: Context<AppEnv>): Promise<Viewer> {
  const secret = /^Bearer (pal_[a-z]+_[A-Za-z0-9]+)$/.exec(c.req.header('authorization') ?? '')?.[1]
  if (!secret) return null
  const identity = await identityOf(c.env.ADMIN_TOKEN_SHA256, await sha256Hex(secret), c.get('db'))
  if (identity) return identity
  throw new ApiError('unauthorized', 'this token is unknown or was revoked; ask an admin for a new one')
}

async function identityOf(adminDigest: string | undefined, digest: string, db: AppEnv['Variables']['db']) {
  if (adminDigest && sameDigest(adminDigest.trim().toLowerCase(), digest)) {
    return { tokenId: 'admin', name: 'admin', role: 'admin' } satisfies Identity
  }
  const row = await db.select().from(tokens).where(eq(tokens.sha256, digest)).get()
  if (!row || row.revokedAt !== null || !sameDigest(row.sha256, digest)) return null
  return { tokenId: row.id, name: row.name, role: row.role } satisfies Identity
}
