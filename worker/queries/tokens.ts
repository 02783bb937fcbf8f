/** Tokens: created with their secret shown once, listed and revoked. */
import { and, asc, eq, isNull } from 'drizzle-orm'
import { ApiError } from '../../schema/errors.ts'
import { sha256Hex } from '../../schema/stage.ts'
import { type Role, tokens } from '../../schema/tables/tokens.ts'
import { type Database, isoTime, newId, randomHex } from '../database.ts'

type Row = typeof tokens.$inferSelect

const shown = ({ id, name, role, createdAt, revokedAt }: Row) => ({
  id,
  name,
  role,
  createdAt: isoTime(createdAt),
  revokedAt: revokedAt === null ? null : isoTime(revokedAt),
})

export async function createToken(db: Database, { name, role }: { name: string; role: Role }) {
  const secret = `pal_${role}_${randomHex(24)}`
  const row = { id: newId(), name, role, sha256: await sha256Hex(secret), createdAt: Date.now(), revokedAt: null }
  await db.insert(tokens).values(row)
  return { ...shown(row), secret }
}

export async function listTokens(db: Database) {
  const rows = await db.select().from(tokens).orderBy(asc(tokens.id))
  return { tokens: rows.map(shown) }
}

export async function revokeToken(db: Database, id: string) {
  await db
    .update(tokens)
    .set({ revokedAt: Date.now() })
    .where(and(eq(tokens.id, id), isNull(tokens.revokedAt)))
  const row = await db.select().from(tokens).where(eq(tokens.id, id)).get()
  if (!row) throw new ApiError('not_found', `no token "${id}"`)
  return shown(row)
}
