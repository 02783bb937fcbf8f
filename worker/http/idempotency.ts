/** The header `Idempotency-Key` of requests that create something. */
import type { Context } from 'hono'
import { z } from 'zod'
import { ApiError } from '../../schema/errors.ts'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import type { AppEnv } from '../bindings/env.ts'
import type { Repeatable } from '../keys/secrets.ts'

export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('A repeated request with the same key creates nothing and is answered with what the first one created'),
})

/** A request that creates something: without a key each one does, with a key the first. */
export interface Once extends Repeatable {
  now: number
  /** Throws where its token has created too much lately. */
  permit(): Promise<void>
}

export async function onceOf(c: Context<AppEnv>, key: string | undefined, request: unknown): Promise<Once> {
  const { tokenId } = c.get('identity')
  return {
    tokenId,
    key: key ?? null,
    requestSha256: await sha256Hex(canonicalJson([c.req.method, c.req.path, request])),
    now: Date.now(),
    permit: async () => {
      const { success } = await c.env.CREATIONS.limit({ key: tokenId })
      if (!success)
        throw new ApiError('rate_limited', 'this token created too much within a minute; try again in a minute')
    },
  }
}
