/** One server a home, whatever clocks say and however the last one ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockHome } from '../../runner/server/home-lock.ts'

const module = resolve(import.meta.dirname, '../../runner/server/home-lock.ts')

let home: string
const children: ChildProcess[] = []
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(home, { recursive: true, force: true })
})

/** Another process that holds the lock until it is killed. */
async function holder(): Promise<ChildProcess> {
  const script = `const { lockHome } = await import(${JSON.stringify(module)})
    await lockHome(${JSON.stringify(home)}); console.log('held'); setInterval(() => {}, 1000)`
  const words = ['--experimental-strip-types', '--input-type=module', '--eval', script]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await new Promise((done) => child.stdout!.once('data', done))
  return child
}
const ended = (child: ChildProcess) => new Promise((done) => child.once('exit', done))
const lockFile = () => join(home, 'server.lock')

test('a second server of this process is refused, and one after a release is not', async () => {
  const release = await lockHome(home)
  await expect(lockHome(home)).rejects.toThrow(`process ${process.pid} on `)
  await release()
  await (await lockHome(home))()
  expect(await readdir(home)).toEqual([])
})

test.each([-1, 1])('a holder is believed when clocks differ by %i day', async (days) => {
  const { pid } = await holder()
  const then = new Date(Date.now() + days * 86_400_000)
  await utimes(lockFile(), then, then)
  await expect(lockHome(home)).rejects.toThrow(`process ${pid} on `)
})

test('a holder that is stopped still holds, and one that was killed does not', async () => {
  const child = await holder()
  child.kill('SIGSTOP')
  await expect(lockHome(home)).rejects.toThrow('already serves')
  const gone = ended(child)
  child.kill('SIGKILL')
  await gone
  await (await lockHome(home))()
}, 20_000)

test('of many that come after a killed one, one is let in', async () => {
  const child = await holder()
  const gone = ended(child)
  child.kill('SIGKILL')
  await gone
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => lockHome(home)))
  const taken = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  expect(taken).toHaveLength(1)
  await taken[0]!()
})

test('a holder on another machine is believed while it renews, by no clock of ours', async () => {
  await writeFile(lockFile(), JSON.stringify({ pid: 7, host: 'elsewhere' }))
  const past = new Date('2001-01-01')
  let ticks = 0
  const renewal = setInterval(() => void utimes(lockFile(), past, new Date(+past + ++ticks * 1000)), 200)
  try {
    await expect(lockHome(home, { watchMs: 3000 })).rejects.toThrow('process 7 on elsewhere already serves')
  } finally {
    clearInterval(renewal)
  }
  const future = new Date('2101-01-01')
  await utimes(lockFile(), future, future)
  await (await lockHome(home, { watchMs: 1000 }))()
}, 20_000)

test('a home whose path is too long for a socket is locked as well', async () => {
  home = join(home, 'a'.repeat(120))
  await mkdir(home)
  const release = await lockHome(home)
  await expect(lockHome(home)).rejects.toThrow('already serves')
  await release()
  await (await lockHome(home))()
})
