/** Runs a stage in a process of its own: onnxruntime blocks the thread that it runs on, and heartbeats must not wait. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Progress, StageResult } from '../../schema/result.ts'
import { LocalFault, localFaultOf } from '../store/local-fault.ts'
import { StageFailure } from './failure.ts'
import type { FromStage, StageOrder, ToStage } from './stage-messages.ts'

const stageChild = join(import.meta.dirname, 'stage-child.ts')
const STDERR_CHARACTERS = 4000

export interface StageOptions extends StageOrder {
  /** Stops the stage between two chunks of its work. */
  signal: AbortSignal
  onProgress(progress: Progress): void
  onLog(line: string): void
  /** After an abort, the process is killed once this long has passed. */
  graceMs?: number
  /** The script that is run. */
  entry?: string
}

/** Throws StageFailure, or the signal's reason once aborted. */
export async function runStageProcess(options: StageOptions): Promise<{ result: StageResult; reused: boolean }> {
  const { signal, onProgress, onLog, graceMs = 10_000, entry = stageChild, ...order } = options
  signal.throwIfAborted()
  const child = fork(entry, [], {
    execArgv: ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const say = (message: ToStage) => child.connected && child.send(message, () => {})
  const kill = () => child.kill('SIGKILL')
  let grace: NodeJS.Timeout | undefined
  const onAbort = () => {
    say({ kind: 'abort' })
    grace = setTimeout(kill, graceMs)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  process.once('exit', kill)

  let last: FromStage | null = null
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS)
  })
  child.on('message', (message: FromStage) => {
    if (message.kind === 'progress') onProgress(message.progress)
    else if (message.kind === 'log') onLog(message.line)
    else last = message
  })
  say({ kind: 'run', order })
  try {
    const exit = await exitOf(child)
    const answer = last as FromStage | null
    // A result that was ready before the stop still counts.
    if (answer?.kind === 'result') return { result: answer.result, reused: answer.reused }
    signal.throwIfAborted()
    for (const line of stderr.split('\n').filter(Boolean)) onLog(line)
    if (answer?.kind === 'local-fault') throw new LocalFault(answer.message)
    if (answer?.kind === 'error') throw new StageFailure(answer.reason, answer.message, answer.was)
    throw silentEnd(exit, stderr)
  } finally {
    clearTimeout(grace)
    signal.removeEventListener('abort', onAbort)
    process.off('exit', kill)
  }
}

interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** Once its output has been read to the end too. */
const exitOf = (child: ChildProcess) =>
  new Promise<Exit>((done, fail) => {
    child.once('error', (error) => {
      if (child.pid !== undefined) return
      fail(localFaultOf(error) ?? new StageFailure('dependency', `no process for the stage: ${error.message}`))
    })
    child.once('close', (code, signal) => done({ code, signal }))
  })

/** The process ended without a word. */
function silentEnd({ code, signal }: Exit, stderr: string): StageFailure {
  const end = /^\w*Error.*$/m.exec(stderr)?.[0] ?? stderr.trim().split('\n').at(-1) ?? ''
  const said = end ? `: ${end}` : ''
  if (/heap out of memory|std::bad_alloc/.test(stderr)) {
    return new StageFailure('out_of_memory', `the process of the stage ran out of memory${said}`)
  }
  if (signal === 'SIGKILL') {
    return new StageFailure(
      'out_of_memory',
      'the process of the stage was killed (SIGKILL), which is what the system does when memory runs out',
    )
  }
  return new StageFailure('evaluator_bug', `the process of the stage ended with ${signal ?? `code ${code}`}${said}`)
}
