/** Artifacts and evidence by SHA-256. The bytes lie in R2 under `artifacts/<sha256>`. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const artifacts = sqliteTable('artifacts', {
  sha256: text().primaryKey(),
  bytes: integer().notNull(),
  createdAt: integer().notNull(),
})
