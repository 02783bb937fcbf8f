/** Tokens: created with their secret shown once, listed and revoked. */
import { and, asc, eq, isNull } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { type Role, tokens } from '../../../schema/tables/tokens.ts'
import { webhooks } from '../../../schema/tables/webhooks.ts'
import { type Database, isoTime, newId } from '../../bindings/database.ts'
import type { Once } from '../../http/idempotency.ts'
import { endRuns } from '../jobs/end-runs.ts'
import { createOnce } from '../parts/once.ts'
import { disableWebhooks } from '../webhooks/disable-webhooks.ts'

type Row = typeof tokens.$inferSelect

const shown = ({ id, name, role, createdAt, revokedAt }: Row) => ({
  id,
  name,
  role,
  createdAt: isoTime(createdAt),
  revokedAt: revokedAt === null ? null : isoTime(revokedAt),
})

export async function createToken(
  db: Database,
  { name, role }: { name: string; role: Role },
  { secret, once }: { secret: string; once: Once },
) {
  const sha256 = await sha256Hex(secret)
  const { id } = await createOnce(db, once, async () => {
    const row = { id: newId(once.now), name, role, sha256, createdAt: once.now }
    return { id: row.id, statements: [db.insert(tokens).values(row)] }
  })
  const row = await getToken(db, id)
  if (row.sha256 === sha256) return { ...shown(row), secret }
  throw new ApiError(
    'conflict',
    `token "${id}" was created under this key when the server had another SIGNING_KEY, so its secret cannot be shown again; revoke it, and use a new key`,
  )
}

async function getToken(db: Database, id: string): Promise<Row> {
  const row = await db.select().from(tokens).where(eq(tokens.id, id)).get()
  if (row) return row
  throw new ApiError('not_found', `no token "${id}"`)
}

export async function listTokens(db: Database) {
  const rows = await db.select().from(tokens).orderBy(asc(tokens.id))
  return { tokens: rows.map(shown) }
}

/** Its webhooks are told nothing more, and its runs that have not ended are cancelled. What it published stays: an admin withdraws
 *  what should not. Returns the keys of the jobs of its submissions, too. */
export async function revokeToken(db: Database, id: string, now: number) {
  const own = await db.select({ id: submissions.id }).from(submissions).where(eq(submissions.tokenId, id))
  const ids = own.map((row) => row.id)
  const [rows] = await db.batch([
    ...endRuns(db, { ids, now }),
    db
      .update(tokens)
      .set({ revokedAt: now })
      .where(and(eq(tokens.id, id), isNull(tokens.revokedAt))),
    ...disableWebhooks(db, eq(webhooks.tokenId, id), { reason: 'the token that created it was revoked', now }),
  ])
  return { token: shown(await getToken(db, id)), changed: [...new Set(rows.map(({ key }) => key))] }
}
