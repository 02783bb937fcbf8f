import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const repository = join(import.meta.dirname, '../..')
let root: string
const table = (columns: string) =>
  `import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'\nexport const books = sqliteTable('books', { ${columns} })\n`

/** A tree of one table with its migration, listed as released. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'released-'))
  mkdirSync(join(root, 'schema/tables'), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  cpSync(join(repository, 'drizzle.config.ts'), join(root, 'drizzle.config.ts'))
  declare('id: text().primaryKey()')
  generate('first')
  expect(check('--add')).toEqual({ status: 0, said: '' })
})

afterEach(() => rmSync(root, { recursive: true }))

const declare = (columns: string) => writeFileSync(join(root, 'schema/tables/books.ts'), table(columns))
const migration = (name: string) => join(root, 'worker/migrations', name)
const generate = (name: string) => run(['node_modules/drizzle-kit/bin.cjs', 'generate', '--name', name], root)
const check = (...args: string[]) =>
  run(['--experimental-strip-types', 'scripts/migrations.ts', ...args, root], repository)

function run(args: string[], cwd: string) {
  const env = { NODE_NO_WARNINGS: '1' }
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  return { status, said: stderr.trim() }
}

test('a released migration that is changed or removed is a fault', () => {
  expect(check()).toEqual({ status: 0, said: '' })
  writeFileSync(migration('0000_first.sql'), 'CREATE TABLE `books` (`id` text);\n')
  const changed =
    /^worker\/migrations\/0000_first\.sql was released with the SHA-256 [0-9a-f]{64}, but is now [0-9a-f]{64}: restore it/
  expect(check()).toEqual({ status: 1, said: expect.stringMatching(changed) })
  // Listing what is new does not list what has changed anew.
  expect(check('--add')).toEqual({ status: 1, said: expect.stringMatching(changed) })
  rmSync(migration('0000_first.sql'))
  expect(check()).toEqual({ status: 1, said: expect.stringContaining('but is now no such file') })
})

test('a change of the tables needs a migration: a check says so and writes none, and lists one that is new', () => {
  declare('id: text().primaryKey(), pageCount: integer()')
  const before = readdirSync(join(root, 'worker/migrations'), { recursive: true })
  const missing = check()
  expect(missing.status).toBe(1)
  expect(missing.said).toBe(
    'schema/tables/ has changes that no migration makes: npm run migrations writes one\nALTER TABLE `books` ADD `page_count` integer;',
  )
  expect(readdirSync(join(root, 'worker/migrations'), { recursive: true })).toEqual(before)
  generate('pages')
  const unlisted = 'worker/migrations/0001_pages.sql is not in SHA256SUMS: npm run migrations lists it'
  expect(check()).toEqual({ status: 1, said: unlisted })
  expect(check('--add')).toEqual({ status: 0, said: '' })
  expect(check()).toEqual({ status: 0, said: '' })
})
