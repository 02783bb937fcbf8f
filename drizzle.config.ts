/** Writes worker/migrations from schema/tables: `npm run migrations`. */
import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'sqlite',
  schema: './schema/tables/*.ts',
  out: './worker/migrations',
  casing: 'snake_case',
})
