/** Runs the edge worker on this machine: database migrations, then `wrangler dev` behind a door on 127.0.0.1, its state in the
 *  home folder. A worker that no longer answers is started again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { appendFile, chmod, mkdir, readFile } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { OWNER_ONLY } from '../store/secrets.ts'
import { codeOf, reasonOf, writeWhole } from '../store/write.ts'
import { UsageError } from '../words/usage.ts'
import { HOST, openDoor } from './door.ts'
import { openRelay } from './relay.ts'
import { troubleIn } from './trouble.ts'
import { requireWorkerd } from './workerd.ts'

const root = resolve(import.meta.dirname, '../..')
/** The file behind wrangler's command: one process less than through the command. */
const wrangler = join(root, 'node_modules/wrangler/wrangler-dist/cli.js')
const guard = join(import.meta.dirname, 'guard.ts')
const STRIP_TYPES = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning']
const READY_MS = 60_000
/** What wrangler gets to end by itself. */
const GRACE_MS = 5_000
/** How often the worker is asked whether it answers, how soon again after a miss, and how long it may take. */
const LOOK_EVERY_MS = 15_000
const LOOK_AGAIN_MS = 2_000
const ANSWER_MS = 10_000
const MAX_MISSED = 3
/** In a row: a worker that lived for long begins a new one. */
const MAX_RESTARTS = 5
const STEADY_MS = 600_000

/** Logs of a server, all of which grow while it runs. */
export const logsOf = (home: string): string[] => [workerLog(home), wranglerLog(home)]
const workerLog = (home: string) => join(home, 'worker.log')
const wranglerLog = (home: string) => join(home, 'wrangler.log')

const environment = (home: string) => ({
  ...process.env,
  // Child processes of wrangler find the same Node.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  // It shows and changes database and objects to whoever asks.
  X_LOCAL_EXPLORER: 'false',
  // It keeps a trace of every request for good.
  X_LOCAL_OBSERVABILITY: 'false',
  // Else a file of each start stays in the user's own folders.
  WRANGLER_LOG_PATH: wranglerLog(home),
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

export async function startServer(options: ServerOptions): Promise<Server> {
  const { home, port, signal } = options
  const log = workerLog(home)
  await requireWorkerd(wrangler)
  const door = await openDoor(port)
  const relay = await openRelay()
  const start = (signal: AbortSignal | undefined) => startWorker({ ...options, relay: relay.url }, log, signal)
  const stopping = new AbortController()
  let worker: WorkerProcess
  try {
    // Also of a home from before, in which others could read.
    await mkdir(stateIn(home), { recursive: true })
    await chmod(stateIn(home), 0o700)
    for (const path of logsOf(home)) await writeWhole(path, '', { mode: OWNER_ONLY })
    await migrate(home, signal)
    worker = await start(signal)
  } catch (error) {
    relay.close()
    await door.close()
    throw error
  }
  door.leadTo(worker.url)

  const supervise = async () => {
    try {
      for (let restarts = 0; ; restarts++) {
        const begin = performance.now()
        const why = await loss(worker, stopping.signal)
        door.leadTo(null)
        await worker.stop(stopping.signal.aborted ? GRACE_MS : 0)
        if (stopping.signal.aborted) return
        if (performance.now() - begin > STEADY_MS) restarts = 0
        const again = restarts < MAX_RESTARTS
        await appendFile(log, `\nThe worker ${why} and is ${again ? '' : 'not '}started again.\n`)
        if (!again) return
        worker = await start(stopping.signal)
        door.leadTo(worker.url)
      }
    } catch (error) {
      if (!stopping.signal.aborted) await appendFile(log, `\n${reasonOf(error)}\n`)
    } finally {
      relay.close()
      await door.close()
    }
  }
  const ended = supervise()
  const stop = () => {
    stopping.abort()
    return ended
  }
  return { url: door.url, log, ended, stop }
}

/** Waits until the worker has ended, or has not answered several times in a row (its workerd can end while wrangler stays). */
async function loss({ url, gone }: WorkerProcess, stopping: AbortSignal): Promise<string> {
  const over = AbortSignal.any([gone, stopping])
  for (let missed = 0; missed < MAX_MISSED && !over.aborted; ) {
    await sleep(missed ? LOOK_AGAIN_MS : LOOK_EVERY_MS, undefined, { signal: over, ref: false }).catch(() => {})
    if (over.aborted) break
    const answers = await fetch(`${url}/health`, { signal: AbortSignal.any([over, AbortSignal.timeout(ANSWER_MS)]) })
      .then(async (answer) => (await answer.text()) !== '' && answer.ok)
      .catch(() => false)
    missed = answers ? 0 : missed + 1
  }
  return gone.aborted ? 'ended' : 'does not answer any more'
}

interface WorkerProcess {
  /** Of wrangler's own server, which answers more than anyone may ask: only the door and the supervisor know it. */
  url: string
  /** Aborted when the process has ended. */
  gone: AbortSignal
  /** Ends it at once, or lets it end by itself for so long. */
  stop(graceMs: number): Promise<void>
}

async function startWorker(
  { home, adminTokenSha256, secrets, relay }: ServerOptions & { relay: string },
  log: string,
  signal: AbortSignal | undefined,
): Promise<WorkerProcess> {
  const output = openSync(log, 'a', OWNER_ONLY)
  const child = spawn(
    process.execPath,
    [
      ...STRIP_TYPES,
      ...['--no-warnings', '--import', guard, wrangler, 'dev', '--ip', HOST],
      ...['--port', '0', '--inspector-port', '0', '--show-interactive-dev-session=false'],
      ...['--var', `ADMIN_TOKEN_SHA256:${adminTokenSha256}`, '--var', `WEBHOOK_RELAY:${relay}`],
      ...['--env-file', secrets, ...persistTo(home)],
    ],
    // A group of its own, so that Ctrl-C reaches this process only, and so that all of it can be ended at once.
    { cwd: root, env: environment(home), detached: true, stdio: ['ignore', output, output, 'ipc'] },
  )
  closeSync(output)
  const exited = new AbortController()
  const ended = new Promise<void>((done) =>
    child.once('exit', () => {
      exited.abort()
      done()
    }),
  )
  const killGroup = () => signalGroup(child, 'SIGKILL')
  process.once('exit', killGroup)
  const stop = async (graceMs: number) => {
    if (graceMs > 0) {
      signalGroup(child, 'SIGTERM')
      await Promise.race([ended, sleep(graceMs, undefined, { ref: false })])
    }
    killGroup()
    await ended
    process.off('exit', killGroup)
  }
  try {
    return { url: await readyUrl(child, log, signal), gone: exited.signal, stop }
  } catch (error) {
    await stop(GRACE_MS)
    throw error
  }
}

const stateIn = (home: string) => join(home, 'worker')
const persistTo = (home: string) => ['--persist-to', stateIn(home)]

async function migrate(home: string, signal: AbortSignal | undefined): Promise<void> {
  const preload = [...STRIP_TYPES, '--no-warnings', '--import', guard]
  const words = ['d1', 'migrations', 'apply', 'DB', '--local', ...persistTo(home)]
  try {
    await promisify(execFile)(process.execPath, [...preload, wrangler, ...words], {
      cwd: root,
      env: environment(home),
      ...(signal && { signal }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    const said = `${stdout}${stderr}`.trim() || message
    const trouble = await troubleIn(said, home)
    if (trouble) throw new UsageError(trouble)
    throw new Error(`the database could not be brought up to date: ${said}`)
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
    if (event === 'DEV_SERVER_READY') found(`http://${HOST}:${port}`)
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
