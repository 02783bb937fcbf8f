/** Large artifacts on their way: one multipart upload of R2 for a hash. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const uploads = sqliteTable('uploads', {
  sha256: text().primaryKey(),
  bytes: integer().notNull(),
  /** Where the whole will lie. */
  path: text().notNull(),
  /** R2's name of the upload. */
  uploadId: text().notNull(),
  touchedAt: integer().notNull(),
})
