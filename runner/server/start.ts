/** Runs the edge worker on this machine: database migrations, then `wrangler dev` on 127.0.0.1, its state in the home folder. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { codeOf } from '../store/write.ts'
import { UsageError } from '../words/usage.ts'

const root = resolve(import.meta.dirname, '../..')
/** The file behind wrangler's command: one process less than through the command. */
const wrangler = join(root, 'node_modules/wrangler/wrangler-dist/cli.js')
const guard = join(import.meta.dirname, 'guard.ts')
const STRIP_TYPES = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning']
const READY_MS = 60_000
/** What wrangler gets to end by itself. */
const GRACE_MS = 5_000

const environment = () => ({
  ...process.env,
  // Child processes of wrangler find the same Node.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  NO_COLOR: '1',
  CI: '1',
})

export interface ServerOptions {
  home: string
  /** 0 takes a free one. */
  port: number
  /** SHA-256 of the admin token. */
  adminTokenSha256: string
  /** A file with the Worker's secrets: a command line could be read by others. */
  secrets: string
  signal?: AbortSignal | undefined
}

export interface Server {
  url: string
  /** Where the worker's output goes. */
  log: string
  /** Settles when the server has ended, for whatever reason. */
  ended: Promise<void>
  stop(): Promise<void>
}

export async function startServer({ home, port, adminTokenSha256, secrets, signal }: ServerOptions): Promise<Server> {
  await requireFreePort(port)
  const persist = ['--persist-to', join(home, 'worker')]
  const log = join(home, 'worker.log')
  await migrate(persist, signal)
  const output = openSync(log, 'w')
  const child = spawn(
    process.execPath,
    [
      ...STRIP_TYPES,
      ...['--no-warnings', '--import', guard, wrangler, 'dev', '--ip', '127.0.0.1'],
      ...['--port', String(port), '--inspector-port', '0', '--show-interactive-dev-session=false'],
      ...['--var', `ADMIN_TOKEN_SHA256:${adminTokenSha256}`, '--env-file', secrets, ...persist],
    ],
    // A group of its own, so that Ctrl-C reaches this process only, and so that all of it can be ended at once.
    { cwd: root, env: environment(), detached: true, stdio: ['ignore', output, output, 'ipc'] },
  )
  closeSync(output)
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  const killGroup = () => signalGroup(child, 'SIGKILL')
  process.once('exit', killGroup)
  const stop = async () => {
    signalGroup(child, 'SIGTERM')
    await Promise.race([ended, sleep(GRACE_MS, undefined, { ref: false })])
    killGroup()
    await ended
    process.off('exit', killGroup)
  }
  try {
    return { url: await readyUrl(child, log, signal), log, ended, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What stands against a port, and what to do, by the code of the system's error. */
export function portTrouble(port: number, code: string): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'is in use by another program',
    EACCES: 'is kept for administrators on this machine, as ports below 1024 often are',
  }
  const reason = reasons[code] ?? `cannot be used (${code})`
  const choose = code === 'EACCES' ? '--port N, N from 1024' : '--port N'
  return `port ${port} of 127.0.0.1 ${reason}; choose another one with ${choose}, or --port 0 for a free one`
}

async function requireFreePort(port: number): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((done, fail) => {
      probe.once('error', fail)
      probe.listen(port, '127.0.0.1', done)
    })
  } catch (error) {
    throw new UsageError(portTrouble(port, codeOf(error)))
  }
  await new Promise((done) => probe.close(done))
}

async function migrate(persist: string[], signal: AbortSignal | undefined): Promise<void> {
  const words = ['d1', 'migrations', 'apply', 'DB', '--local', ...persist]
  try {
    await promisify(execFile)(process.execPath, ['--no-warnings', wrangler, ...words], {
      cwd: root,
      env: environment(),
      ...(signal && { signal }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    throw new Error(`the database could not be brought up to date: ${`${stdout}${stderr}`.trim() || message}`)
  }
}

/** wrangler tells its parent the address once it listens. */
function readyUrl(child: ChildProcess, log: string, signal: AbortSignal | undefined): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>()
  const fail = async (why: string) => {
    const output = await readFile(log, 'utf8').catch(() => '')
    const end = output.trim().split('\n').slice(-15).join('\n')
    reject(new Error(`${why}; the end of ${log}:\n${end}`))
  }
  const timer = setTimeout(() => fail(`the worker was not ready within ${READY_MS / 1000} s`), READY_MS)
  const onAbort = () => reject(signal?.reason)
  const onExit = (code: number | null) => fail(`the worker ended with code ${code} before it was ready`)
  signal?.addEventListener('abort', onAbort, { once: true })
  child.once('exit', onExit)
  child.once('error', (error) => fail(`the worker could not be started: ${error.message}`))
  child.on('message', (message) => {
    const { event, port } = JSON.parse(String(message)) as { event?: string; port?: number }
    if (event === 'DEV_SERVER_READY') found(`http://127.0.0.1:${port}`)
  })
  return promise.finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    child.off('exit', onExit)
  })
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}
