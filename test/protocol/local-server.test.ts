/** A server of this machine's own, left alone: it removes what nothing needs, keeps its files small and to itself, and says by name what
 *  keeps it from starting. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFile, chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { startLocalServer } from '../../runner/server/local.ts'
import { boundLog, MOST_LOG_BYTES } from '../../runner/server/upkeep.ts'
import { cleanUp, startCli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const root = resolve(import.meta.dirname, '../..')
afterAll(cleanUp)

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).map((entry) => join(entry.parentPath, entry.name))
const databaseIn = async (home: string) =>
  (await filesIn(join(home, 'worker/v3/d1'))).find((path) => /\/[0-9a-f]{64}\.sqlite$/.test(path))!

test('retention runs by itself, logs stay bounded, and nobody else reads what the server keeps', async () => {
  const home = await temporaryFolder()
  const times = { retentionAfterMs: 1000, retentionEveryMs: 1000, logsEveryMs: 500 }
  const server = await startLocalServer({ home, port: 0, times })
  try {
    const adminToken = server.tokens.admin
    const { submit, tokenFor, lease, upload, post } = fakeRunner({ url: server.url, adminToken })
    const submitter = await tokenFor('submitter', 's')
    await submit(submitter, { benchmark: SLUG, method: 'retrain', visibility: 'private' })
    const job = (await lease(await tokenFor('runner', 'r')))!
    await upload(job, 'nothing names this')
    for (let view = 0; view < 50; view++) await fetch(`${server.url}/api/v1/queue`)
    const ran = async () => (await readFile(server.log, 'utf8')).match(/^retention \{/gm)?.length ?? 0
    for (let waited = 0; (await ran()) < 2 && waited < 30_000; waited += 500) await sleep(500)
    expect(await ran()).toBeGreaterThanOrEqual(2)
    await appendFile(server.log, 'x'.repeat(MOST_LOG_BYTES))
    const size = async () => (await stat(server.log)).size
    for (let waited = 0; (await size()) > MOST_LOG_BYTES && waited < 30_000; waited += 500) await sleep(500)
    expect(await size()).toBeLessThan(MOST_LOG_BYTES)
    expect((await stat(`${server.log}.1`)).size).toBeGreaterThan(MOST_LOG_BYTES)
    const dry = await post<{ dryRun: boolean }>('/api/v1/retention', adminToken, {})
    expect(dry.dryRun).toBe(true)
    const all = await filesIn(home)
    expect(all.filter((path) => path.includes('trace'))).toEqual([])
    const open = await Promise.all(
      all.map(async (path) => ({ path: path.slice(home.length), mode: (await stat(path)).mode & 0o077 })),
    )
    // A socket tells who serves, to whoever may enter the home.
    expect(open.filter(({ path, mode }) => mode !== 0 && path !== '/server.sock')).toEqual([])
  } finally {
    await server.stop()
  }
})

test('the state of a home from before is closed to others at the next start; a damaged database is named', async () => {
  const home = await temporaryFolder()
  const first = startCli(['serve', '--port', '0', '--home', home])
  await first.said('Ctrl-C stops.')
  first.child.kill('SIGTERM')
  await first.ended
  await chmod(join(home, 'worker'), 0o755)
  const database = await databaseIn(home)
  const open = new DatabaseSync(database)
  open.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  open.close()
  for (const [damage, words] of [
    ['not a database at all', 'is no database any more'],
    ['', 'is damaged'],
  ] as const) {
    const whole = await readFile(database)
    const noise = createHash('sha512').update('noise').digest()
    const pages = Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192, noise)])
    for (const rest of ['-wal', '-shm']) await rm(database + rest, { force: true })
    await writeFile(database, damage ? damage.padEnd(4096, '.') : pages)
    const { code, stderr } = await startCli(['serve', '--port', '0', '--home', home]).ended
    expect(code).toBe(2)
    expect(stderr).toContain(
      `${database} ${words}; put a copy from before in its place, or move ${join(home, 'worker')}`,
    )
    await writeFile(database, whole)
  }
  expect((await stat(join(home, 'worker'))).mode & 0o777).toBe(0o700)
})

test('too few file handles are said before anything is started', async () => {
  const home = await temporaryFolder()
  const command = `ulimit -n 100 && exec "$0" --experimental-strip-types runner/cli.ts serve --port 0 --home "$1"`
  const failed = await promisify(execFile)('sh', ['-c', command, process.execPath, home], { cwd: root }).catch(
    (error: { code: number; stderr: string }) => error,
  )
  expect(failed).toMatchObject({ code: 2 })
  expect(failed.stderr).toContain(
    'expected at least 256 file handles for a server, got 100; allow more of them (ulimit -n 1024)',
  )
})

test('a log within its bound is left alone', async () => {
  const path = join(await temporaryFolder(), 'x.log')
  await writeFile(path, '12345')
  await boundLog(path, 5)
  expect(await readFile(path, 'utf8')).toBe('12345')
  await boundLog(path, 4)
  expect([await readFile(path, 'utf8'), await readFile(`${path}.1`, 'utf8')]).toEqual(['', '12345'])
})
