/** Holds migrations to what was released: worker/migrations/SHA256SUMS lists them, and none of the list may change, since a database
 *  that has applied one never applies it again. Fails also where schema/tables/ has changes that no migration makes. With --add it lists
 *  those that are new. The last argument is the root of the repository. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import config from '../drizzle.config.ts'

const { values, positionals } = parseArgs({ options: { add: { type: 'boolean' } }, allowPositionals: true })
const root = resolve(positionals[0] ?? '.')
const folder = 'worker/migrations'
const sums = join(root, folder, 'SHA256SUMS')

const migrationsIn = (path: string) =>
  readdirSync(path)
    .filter((name) => name.endsWith('.sql'))
    .sort()
const hashOf = (name: string) =>
  createHash('sha256')
    .update(readFileSync(join(root, folder, name)))
    .digest('hex')

/** By file name; each line is a hash, two spaces and a name, as sha256sum writes and checks them. */
const released = new Map(
  (existsSync(sums) ? readFileSync(sums, 'utf8') : '')
    .split('\n')
    .filter(Boolean)
    .map((line): [string, string] => [line.slice(66), line.slice(0, 64)]),
)
const names = migrationsIn(join(root, folder))
const faults: string[] = []
for (const [name, expected] of released) {
  const found = names.includes(name) ? hashOf(name) : 'no such file'
  if (found === expected) continue
  faults.push(
    `${folder}/${name} was released with the SHA-256 ${expected}, but is now ${found}: restore it, and write what should change as a migration of its own (npm run migrations)`,
  )
}
for (const name of names.filter((name) => !released.has(name))) {
  if (values.add) released.set(name, hashOf(name))
  else faults.push(`${folder}/${name} is not in SHA256SUMS: npm run migrations lists it`)
}
if (values.add) writeFileSync(sums, [...released].map(([name, hash]) => `${hash}  ${name}\n`).join(''))
const missing = missingMigration()
if (missing)
  faults.push(`schema/tables/ has changes that no migration makes: npm run migrations writes one\n${missing}`)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

/** What drizzle-kit would write now, or why it cannot tell; null where there is nothing to write. */
function missingMigration(): string | null {
  const copy = mkdtempSync(join(tmpdir(), 'migrations-'))
  try {
    cpSync(join(root, folder), copy, { recursive: true })
    const { dialect, schema, casing } = config
    // It takes a relative `out` only.
    const args = { dialect, schema, casing, out: relative(root, copy) }
    const options = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)])
    const program = join(import.meta.dirname, '../node_modules/drizzle-kit/bin.cjs')
    execFileSync(process.execPath, [program, 'generate', ...options], { cwd: root, stdio: 'pipe', encoding: 'utf8' })
    const written = migrationsIn(copy).filter((name) => !names.includes(name))
    return written.map((name) => readFileSync(join(copy, name), 'utf8')).join('\n') || null
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    return `${stdout}${stderr}`.trim() || message
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
