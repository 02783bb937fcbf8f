/** Parts of uploads that have come and were verified. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const uploadParts = sqliteTable(
  'upload_parts',
  {
    /** Of the upload, not of the artifact: parts of an upload that was given up never join another one. */
    uploadId: text().notNull(),
    /** Counted from 1. */
    number: integer().notNull(),
    sha256: text().notNull(),
    bytes: integer().notNull(),
    etag: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.uploadId, table.number] })],
)
