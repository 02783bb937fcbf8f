/** What counts as a fault of this machine, and what a runner remembers of an order that it could not carry out. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { thisRelease } from '../../runner/agent/contract.ts'
import { refusedBefore, rememberRefused } from '../../runner/agent/refused-order.ts'
import { LocalFault, localFaultOf, requireRoom } from '../../runner/store/local-fault.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const systemError = (code: string, path?: string) => Object.assign(new Error(code), { code, ...(path && { path }) })

test('a fault of this machine is found behind what wraps it, and says file and remedy', () => {
  const wrapped = new Error('fetch failed', { cause: new Error('write', { cause: systemError('EDQUOT', '/srv/x') }) })
  expect(localFaultOf(wrapped)?.message).toBe(
    '/srv/x: the disk quota is used up (EDQUOT); make room there, or choose another home folder with --home DIR',
  )
  expect(localFaultOf(systemError('EMFILE'), '/srv/y')?.message).toMatch(/^\/srv\/y: too many open files .*ulimit -n/)
  const known = new LocalFault('x')
  expect(localFaultOf(known)).toBe(known)
  for (const code of ['ECONNREFUSED', 'ETIMEDOUT', 'ENOENT', 'EACCES', 'EPIPE', 'ENOTFOUND']) {
    expect(localFaultOf(new Error('fetch failed', { cause: systemError(code) }))).toBeNull()
  }
})

test('a home with room is left as it was', async () => {
  await requireRoom(home)
  expect(await readdir(home)).toEqual([])
})

test('an order that this release cannot carry out keeps it from that server for an hour', async () => {
  const server = 'https://palimpsest.example'
  expect(await refusedBefore(home, server)).toBeNull()
  await rememberRefused(home, server, 'does not know this stage')
  expect(await refusedBefore(home, server)).toMatch(
    /^does not know this stage; it is not asked for work again .*refused-order\.json/,
  )
  expect(await refusedBefore(home, 'https://other.example')).toBeNull()
  const said = (more: object) =>
    writeFile(join(home, 'refused-order.json'), JSON.stringify({ server, release: thisRelease, message: 'x', ...more }))
  await said({ at: Date.now() - 3_600_001 })
  expect(await refusedBefore(home, server)).toBeNull()
  // A clock that was set back holds nobody.
  await said({ at: Date.now() + 60_000 })
  expect(await refusedBefore(home, server)).toBeNull()
  await said({ at: Date.now(), release: 'palimpsest 0.1.0 (protocol 1)' })
  expect(await refusedBefore(home, server)).toBeNull()
})
