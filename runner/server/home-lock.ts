/** One server a home. The lock is a socket in the home folder that the holder listens on, which the system takes away with the holder,
 *  whatever any clock says; who asks is told who holds it. Where another machine shares the folder, its socket can't be reached: there
 *  the file beside it tells, by whether it changes while it is watched. */
import { mkdtemp, open, readFile, rm, stat, symlink, utimes } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { sha256Of } from '../store/digest.ts'
import { codeOf, writeWhole } from '../store/write.ts'
import { jsonOrNull } from '../words/json.ts'
import { UsageError } from '../words/usage.ts'

const RENEW_EVERY_MS = 5_000
/** A holder elsewhere that did not renew for so long while it was watched is gone. */
const WATCH_MS = 3 * RENEW_EVERY_MS
const ANSWER_MS = 5_000
/** Of a socket's path, on the strictest system. */
const MOST_CHARACTERS = 100
const MAX_TRIES = 20
const TURN_EVERY_MS = 20
/** Longer than a holder may take to answer. */
const LEFT_MS = 3 * ANSWER_MS

const holder = z.object({ pid: z.int(), host: z.string() })
type Holder = z.infer<typeof holder>

const filePath = (home: string) => join(home, 'server.lock')

/** Refuses while another process serves the home. Returns the release. */
export async function lockHome(home: string, { watchMs = WATCH_MS } = {}): Promise<() => Promise<void>> {
  const own: Holder = { pid: process.pid, host: hostname() }
  const socket = await takeSocket(home, own)
  const release = async () => {
    if (!socket.listening) return
    await new Promise((done) => socket.close(done))
  }
  try {
    const elsewhere = await holderElsewhere(home, watchMs)
    if (elsewhere) throw held(home, elsewhere)
    await writeWhole(filePath(home), JSON.stringify(own), { mode: 0o600 })
  } catch (error) {
    await release()
    throw error
  }
  const renewal = setInterval(() => {
    const now = new Date()
    utimes(filePath(home), now, now).catch(() => {})
  }, RENEW_EVERY_MS)
  renewal.unref()
  return async () => {
    clearInterval(renewal)
    await rm(filePath(home), { force: true })
    await release()
  }
}

const held = (home: string, { pid, host }: Holder) =>
  new UsageError(
    `process ${pid} on ${host} already serves ${home}; stop it with Ctrl-C first, or choose another home with --home DIR (and another port with --port N)`,
  )

async function takeSocket(home: string, own: Holder): Promise<Server> {
  const { path, forget } = await socketPath(home)
  try {
    return await takeSocketAt(path, home, own)
  } catch (error) {
    // Some file systems hold no sockets: then the folder of this machine's own short-lived files does.
    if (!['EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error))) throw error
    return takeSocketAt(join(tmpdir(), `palimpsest-${nameOf(home)}.sock`), home, own)
  } finally {
    await forget()
  }
}

async function takeSocketAt(path: string, home: string, own: Holder): Promise<Server> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const socket = await listen(path, own)
    if (socket) return socket
    const other = await askHolder(path)
    if (other) throw held(home, other)
    await removeDead(path)
  }
  throw new UsageError(`${path}: cannot be listened on, though nobody does; remove it and try again`)
}

const nameOf = (home: string) => sha256Of(Buffer.from(home)).slice(0, 32)

/** Null where somebody listens there, or did. */
function listen(path: string, own: Holder): Promise<Server | null> {
  const server = createServer((asker) => {
    asker.on('error', () => {})
    asker.end(JSON.stringify(own))
  })
  server.unref()
  return new Promise((done, fail) => {
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? done(null) : fail(error)))
    server.listen(path, () => done(server))
  })
}

/** Null where nobody listens any more. One that listens and does not answer, since it is stopped, still holds the lock. */
function askHolder(path: string): Promise<Holder | null> {
  const unnamed = { pid: 0, host: hostname() }
  return new Promise((done) => {
    let text = ''
    const socket = connect(path)
    socket.setTimeout(ANSWER_MS, () => {
      socket.destroy()
      done(unnamed)
    })
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    socket.once('end', () => done(holder.safeParse(jsonOrNull(text)).data ?? unnamed))
    socket.once('error', (error) => done(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error)) ? null : unnamed))
  })
}

/** Removes a dead socket. One process at a time asks once more and removes, so that nobody removes one that came alive in between: where
 *  a file lies nobody can begin to listen. */
async function removeDead(path: string): Promise<void> {
  const turn = `${path}.turn`
  await takeTurn(turn)
  try {
    if (!(await askHolder(path))) await rm(path, { force: true })
  } finally {
    await rm(turn, { force: true })
  }
}

/** Waits while the file is another's. One that stays so long was left by a process that was killed. */
async function takeTurn(turn: string): Promise<void> {
  for (let waited = 0; ; waited += TURN_EVERY_MS) {
    try {
      return await (await open(turn, 'wx')).close()
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    if (waited >= LEFT_MS) {
      await rm(turn, { force: true })
      waited = 0
    }
    await sleep(TURN_EVERY_MS)
  }
}

/** A name for the home's socket that is short enough, and what to do once it was used. */
async function socketPath(home: string): Promise<{ path: string; forget(): Promise<void> }> {
  if (process.platform === 'win32') {
    return { path: `\\\\.\\pipe\\palimpsest-${nameOf(home)}`, forget: async () => {} }
  }
  const path = join(home, 'server.sock')
  if (Buffer.byteLength(path) <= MOST_CHARACTERS - 5) return { path, forget: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'p-'))
  await symlink(home, join(folder, 'h'))
  return { path: join(folder, 'h', 'server.sock'), forget: () => rm(folder, { recursive: true, force: true }) }
}

/** A holder on another machine that renews the file; none on this one, whose socket would have answered. */
async function holderElsewhere(home: string, watchMs: number): Promise<Holder | null> {
  const look = async () => {
    const text = await readFile(filePath(home), 'utf8').catch(() => '')
    return { text, holder: holder.safeParse(jsonOrNull(text)).data }
  }
  const first = await look()
  if (!first.holder || first.holder.host === hostname()) return null
  const before = await mtimeOf(home)
  for (let waited = 0; waited < watchMs; waited += 500) {
    await sleep(500)
    const now = await look()
    if (!now.holder) return null
    if (now.text !== first.text || (await mtimeOf(home)) !== before) return now.holder
  }
  return null
}

const mtimeOf = async (home: string): Promise<number | null> =>
  (await stat(filePath(home)).catch(() => null))?.mtimeMs ?? null
