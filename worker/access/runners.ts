/** Access of runners: an assertion, signed by the runner's key, becomes an access token, signed by the server's. */
import { eq, lt } from 'drizzle-orm'
import { createMiddleware } from 'hono/factory'
import type { z } from 'zod'
import { ApiError } from '../../schema/errors.ts'
import {
  ACCESS_SECONDS,
  ASSERTION_SECONDS,
  access,
  assertion,
  LEEWAY_SECONDS,
  type response,
} from '../../schema/protocol/access.ts'
import {
  fingerprintOf,
  keyIdOf,
  type PrivateKey,
  publicKeyOf,
  SignatureError,
  sign,
  verify,
} from '../../schema/signature.ts'
import { assertions } from '../../schema/tables/assertions.ts'
import { type RunnerRow, runners } from '../../schema/tables/runners.ts'
import { type Database, isoTime } from '../bindings/database.ts'
import type { AppEnv } from '../bindings/env.ts'
import { signingKeyOf } from '../keys/signing.ts'

const findRunner = (db: Database, id: string) => db.select().from(runners).where(eq(runners.id, id)).get()

const revoked = (id: string) =>
  new ApiError('runner_revoked', `an admin revoked the runner ${id}; enrol this machine anew if it should go on`)

export async function tradeAssertion(
  db: Database,
  key: PrivateKey,
  text: string,
  now: number,
): Promise<z.infer<typeof response>> {
  const id = keyIdOf(text) ?? ''
  const runner = await findRunner(db, id)
  if (!runner) {
    const who = id ? `no runner "${id.slice(0, 40)}" is known here` : 'the assertion names no runner (kid)'
    throw new ApiError('unauthorized', `${who}; enrol this machine`)
  }
  const claims = await verify('assertion', assertion, text, runner.publicKey).catch(asUnauthorized)
  const own = await fingerprintOf(publicKeyOf(key))
  if (claims.iss !== id || claims.aud !== own) {
    throw new ApiError(
      'unauthorized',
      `the assertion is from ${claims.iss} for the server with key ${claims.aud}; expected ${id} and ${own}`,
    )
  }
  requireTimes(claims, now)
  if (runner.state === 'revoked') throw revoked(id)
  const expiresAt = (claims.exp + LEEWAY_SECONDS) * 1000
  const [, fresh] = await db.batch([
    db.delete(assertions).where(lt(assertions.expiresAt, now)),
    db
      .insert(assertions)
      .values({ runnerId: id, jti: claims.jti, expiresAt })
      .onConflictDoNothing()
      .returning({ jti: assertions.jti }),
  ])
  if (fresh.length === 0) {
    throw new ApiError('assertion_replayed', 'this assertion was used before; sign a new one for every access token')
  }
  const seconds = Math.floor(now / 1000)
  const token = await sign('access', { sub: id, iat: seconds, exp: seconds + ACCESS_SECONDS }, key)
  return { token, expiresInMs: ACCESS_SECONDS * 1000 }
}

function requireTimes({ iat, exp }: z.infer<typeof assertion>, now: number): void {
  if (exp < iat || exp - iat > ASSERTION_SECONDS) {
    throw new ApiError('unauthorized', `an assertion may live ${ASSERTION_SECONDS} s, this one lives ${exp - iat} s`)
  }
  const seconds = Math.floor(now / 1000)
  const words = (ahead: string) =>
    `the assertion was made at ${isoTime(iat * 1000)} by the runner's clock, and it is ${isoTime(now)} here: ${ahead}; the Date header of this answer is the time to sign with`
  if (iat > seconds + LEEWAY_SECONDS) {
    throw new ApiError('clock_skew', words(`the runner's clock is ${iat - seconds} s ahead`))
  }
  if (exp + LEEWAY_SECONDS < seconds) {
    throw new ApiError(
      'clock_skew',
      words(`the assertion has expired, or the runner's clock is ${seconds - iat} s behind`),
    )
  }
}

/** Lets a runner pass that shows an access token; sets `runner`. */
export const asRunner = createMiddleware<AppEnv>(async (c, next) => {
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(c.req.header('authorization') ?? '')?.[1]
  if (!token)
    throw new ApiError('unauthorized', "expected a runner's access token; enrol, then trade an assertion for one")
  c.set('runner', await runnerOf(c.get('db'), signingKeyOf(c.env), token, Date.now()))
  await next()
})

/** The runner that an access token was given to, as it is now. */
async function runnerOf(db: Database, key: PrivateKey, token: string, now: number): Promise<RunnerRow> {
  const { sub, exp } = await verify('access', access, token, publicKeyOf(key)).catch(asUnauthorized)
  if (exp * 1000 <= now) {
    throw new ApiError(
      'access_expired',
      `this access token expired at ${isoTime(exp * 1000)}; trade a new assertion for one`,
    )
  }
  const runner = await findRunner(db, sub)
  if (!runner) throw new ApiError('unauthorized', `no runner "${sub}" is known here; enrol this machine`)
  if (runner.state === 'revoked') throw revoked(sub)
  return runner
}

function asUnauthorized(error: unknown): never {
  if (error instanceof SignatureError) throw new ApiError('unauthorized', error.message)
  throw error
}
