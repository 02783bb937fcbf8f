/** Starts the Worker for real: `wrangler dev` on a free port, with a database and a store of its own in a temporary folder. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { serverSecrets } from '../../runner/server/secrets.ts'

const root = resolve(import.meta.dirname, '../..')
const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
const READY_MS = 120_000

const environment = {
  ...process.env,
  // Child processes of wrangler find the same Node.
  PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  NO_COLOR: '1',
  CI: '1',
}

export interface Server {
  url: string
  /** May create tokens for everything else. */
  adminToken: string
  /** At the same address, with the same state; SIGKILL leaves the Worker no time to write anything down. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  stop(): Promise<void>
}

/** `vars` are variables of the Worker. */
export async function startServer(vars: Record<string, string> = {}): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  const adminToken = `pal_admin_${randomBytes(16).toString('hex')}`
  const ADMIN_TOKEN_SHA256 = createHash('sha256').update(adminToken).digest('hex')
  const persist = ['--persist-to', folder]
  const options = { cwd: root, env: environment }
  await promisify(execFile)(
    process.execPath,
    [wrangler, 'd1', 'migrations', 'apply', 'palimpsest', '--local', ...persist],
    options,
  )
  const set = Object.entries({ ADMIN_TOKEN_SHA256, ...vars }).flatMap(([name, value]) => ['--var', `${name}:${value}`])
  const words = [...set, '--env-file', await serverSecrets(folder), ...persist]
  const start = (port: string) =>
    spawn(process.execPath, [wrangler, 'dev', '--port', port, '--inspector-port', '0', ...words], {
      ...options,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  let child = start('0')
  const stop = async () => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const url = await readyUrl(child)
    const restart: Server['restart'] = async (signal) => {
      await end(child, signal)
      child = start(new URL(url).port)
      await readyUrl(child)
    }
    return { url, adminToken, restart, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  let output = ''
  return new Promise((resolveUrl, reject) => {
    const fail = (why: string) => reject(new Error(`${why}; its output was:\n${output}`))
    const timer = setTimeout(() => fail(`wrangler dev was not ready within ${READY_MS / 1000} s`), READY_MS)
    const read = (chunk: Buffer) => {
      output += chunk
      const url = /Ready on (http:\/\/[\w.:-]+)/.exec(output)?.[1]
      if (!url) return
      clearTimeout(timer)
      resolveUrl(url.replace('localhost', '127.0.0.1'))
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(`wrangler dev ended with code ${code}`)
    })
  })
}

/** Ends wrangler and the workerd it started, which share a process group. */
async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const { pid } = child
  const ended = new Promise((done) => child.once('exit', done))
  process.kill(-pid, signal)
  const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}
