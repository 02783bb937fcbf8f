/** The `palimpsest` command as a process: its output, its exit code, and no process that outlives the tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const started = new Set<ChildProcess>()
const folders: string[] = []

export interface CliProcess {
  child: ChildProcess
  /** What came so far. */
  output(): { stdout: string; stderr: string }
  /** Waits for a text on stdout or stderr; fails when the process ends without it. */
  said(text: string | RegExp): Promise<void>
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
}

export function startCli(words: string[], environment: Record<string, string> = {}): CliProcess {
  const child = spawn(process.execPath, ['--experimental-strip-types', join(root, 'runner/cli.ts'), ...words], {
    cwd: root,
    env: {
      ...process.env,
      NO_COLOR: '1',
      PALIMPSEST_TOKEN: '',
      PALIMPSEST_ENROLMENT: '',
      PALIMPSEST_HOME: '',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.add(child)
  let [stdout, stderr] = ['', '']
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    changed()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    changed()
  })
  const ended: CliProcess['ended'] = new Promise((done) => {
    child.once('close', (code, signal) => {
      started.delete(child)
      done({ code, signal, stdout, stderr })
      changed()
    })
  })
  return {
    child,
    output: () => ({ stdout, stderr }),
    said: (text) =>
      new Promise((done, fail) => {
        const look = () => {
          const found = typeof text === 'string' ? `${stdout}${stderr}`.includes(text) : text.test(`${stdout}${stderr}`)
          const over = child.exitCode !== null || child.signalCode !== null
          if (!found && !over) return
          listeners.delete(look)
          if (found) done()
          else fail(new Error(`ended without saying ${text}:\n${stdout}\n${stderr}`))
        }
        listeners.add(look)
        look()
      }),
    ended,
  }
}

/** Runs a command to its end. */
export const cli = (words: string[], environment?: Record<string, string>) => startCli(words, environment).ended

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  folders.push(folder)
  return folder
}

/** For afterAll. */
export async function cleanUp(): Promise<void> {
  await Promise.all(
    [...started].map(async (child) => {
      child.kill('SIGKILL')
      await new Promise((done) => child.once('close', done))
    }),
  )
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
