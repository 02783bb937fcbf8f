/** The one mechanism behind `Idempotency-Key`: the key is stored in the transaction that creates something, so that of any number
 *  of requests with one key, at once or one after the other, one creates and the others find what it created. */
import { and, eq } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import { idempotencyKeys } from '../../../schema/tables/idempotency-keys.ts'
import { type Database, prepared, type Statement } from '../../bindings/database.ts'
import type { Once } from '../../http/idempotency.ts'

/** What is created, and the statements that do it. */
interface Creation {
  id: string
  statements: Statement[]
}

export async function createOnce(
  db: Database,
  once: Once,
  plan: () => Promise<Creation>,
): Promise<{ id: string; created: boolean }> {
  const earlier = await createdBefore(db, once)
  if (earlier !== null) return { id: earlier, created: false }
  await once.permit()
  const { id, statements } = await plan()
  const { tokenId, key, requestSha256, now } = once
  const claims =
    key === null ? [] : [{ tokenId, keySha256: await sha256Hex(key), requestSha256, created: id, createdAt: now }]
  try {
    await db.$client.batch(
      [...claims.map((row) => db.insert(idempotencyKeys).values(row)), ...statements].map((each) => prepared(db, each)),
    )
  } catch (error) {
    // Two requests with one key at once: the primary key lets one through.
    const winner = await createdBefore(db, once)
    if (winner === null) throw error
    return { id: winner, created: false }
  }
  return { id, created: true }
}

async function createdBefore(db: Database, { tokenId, key, requestSha256 }: Once): Promise<string | null> {
  if (key === null) return null
  const row = await db
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.tokenId, tokenId), eq(idempotencyKeys.keySha256, await sha256Hex(key))))
    .get()
  if (row && row.requestSha256 !== requestSha256) {
    throw new ApiError(
      'idempotency_mismatch',
      `the key "${key}" was used for another request, which created "${row.created}"; use a new key for a new request`,
    )
  }
  return row?.created ?? null
}
