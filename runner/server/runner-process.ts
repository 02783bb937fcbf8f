/** A runner in a process of its own beside a local server, with the identity of the home; it tells what happens as JSON lines. */
import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentEvent } from '../agent/job-context.ts'
import { OWNER_ONLY } from '../store/secrets.ts'
import { LOCAL_FAULT_CODE } from '../words/usage.ts'
import { boundLog } from './upkeep.ts'

const cli = join(import.meta.dirname, '../cli.ts')
/** What it gets to release its job. */
const GRACE_MS = 20_000
const MAX_RESTARTS = 5

export interface RunnerOptions {
  server: string
  home: string
  data: string[]
  threads: number
  onEvent(event: AgentEvent): void
  /** It ended by itself and is started again, or not any more. */
  onLoss(message: string): void
}

export interface RunnerProcess {
  /** Where its words for people go. */
  log: string
  stop(): Promise<void>
}

export function startRunner({ server, home, data, threads, onEvent, onLoss }: RunnerOptions): RunnerProcess {
  const log = join(home, 'runner.log')
  const output = openSync(log, 'a', OWNER_ONLY)
  ftruncateSync(output)
  const bounding = setInterval(() => void boundLog(log).catch(() => {}), 60_000).unref()
  let stopping = false
  let restarts = 0
  let child: ChildProcess
  let ended: Promise<void>

  const start = () => {
    child = fork(
      cli,
      [
        ...['runner', '--server', server, '--home', home, '--threads', String(threads), '--json'],
        // Its stages are kept, so the next start goes on from there.
        ...['--drain-seconds', '0'],
        ...data.flatMap((folder) => ['--data', folder]),
      ],
      {
        execArgv: ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'],
        // A group of its own: Ctrl-C reaches this process only, which then stops the runner before the server.
        detached: true,
        stdio: ['ignore', 'pipe', output, 'ipc'],
      },
    )
    createInterface({ input: child.stdout! }).on('line', (line) => onEvent(JSON.parse(line) as AgentEvent))
    ended = new Promise((done) => child.once('exit', () => done()))
    child.once('exit', (code, signal) => {
      if (stopping) return
      restarts += 1
      const how = `the runner ended with ${signal ?? `code ${code}`}`
      if (code === 2 || code === LOCAL_FAULT_CODE)
        onLoss(`${how} and is not started again: it would end alike; see ${log}`)
      else if (restarts > MAX_RESTARTS) onLoss(`${how} once more and is not started again; see ${log}`)
      else {
        onLoss(`${how} and is started again; see ${log}`)
        setTimeout(() => !stopping && start(), 1000)
      }
    })
  }
  start()
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  return {
    log,
    async stop() {
      stopping = true
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await Promise.race([ended, sleep(GRACE_MS, undefined, { ref: false })])
        kill()
        await ended
      }
      process.off('exit', kill)
      clearInterval(bounding)
      closeSync(output)
    },
  }
}
