/** INSERT ... SELECT by name. SQL fills columns by their order, so a column that is added to a table or moved in it would shift all
 *  after it; here the order is the table's own, and types refuse a row with one column too few or too many. */
import { getTableColumns, isSQLWrapper, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Database } from '../../bindings/database.ts'

/** Where each column comes from: a value, or an expression over what `from` selects. */
export type Sources<Table extends SQLiteTable> = {
  [Column in keyof Table['$inferSelect']]: Table['$inferSelect'][Column] | SQLWrapper
}

/** For each row of `from`, which begins with FROM, a row of `table`. */
export function insertSelect<Table extends SQLiteTable>(
  db: Database,
  table: Table,
  sources: Sources<Table>,
  from: SQL,
) {
  const row = Object.entries(getTableColumns(table)).map(([name, column]) => {
    const source: unknown = sources[name as keyof typeof sources]
    if (source === null) return sql`NULL`
    return isSQLWrapper(source) ? sql`${source}` : sql`${sql.param(source, column)}`
  })
  return db.insert(table).select(sql`SELECT ${sql.join(row, sql`, `)} ${from}`)
}

/** For a column that SQLite numbers by itself. */
export const numbered = sql`NULL`
