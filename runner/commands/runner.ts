/** `palimpsest runner`: leases jobs from a server and runs them on this machine. */
import { hostname } from 'node:os'
import { createClient, RemoteError } from '../agent/client.ts'
import type { AgentEvent } from '../agent/job.ts'
import { runLoop } from '../agent/loop.ts'
import { collect, wholeNumber } from '../arguments.ts'
import { type Command, dataOption, help, homeOption, serverOf, serverOption, threadsOption } from '../command.ts'
import { onDraining } from '../draining.ts'
import { dataPlaces, openHome } from '../home.ts'
import { deviceOption, requireDevice } from '../probe/device-choice.ts'
import { passedSelfTest, probeMachine } from '../probe.ts'
import { tokenFor } from '../server/tokens.ts'
import { openStore } from '../store/store.ts'
import { findingsLines } from '../terminal/findings.ts'
import { count, duration } from '../terminal/numbers.ts'
import { note, print, printJson, printJsonLine, styled } from '../terminal/output.ts'
import { stageLabel } from '../terminal/stages.ts'
import { UsageError } from '../usage.ts'

interface Options {
  server?: string
  tokenFile?: string
  name: string
  home?: string
  data?: string[]
  threads: number
  drainSeconds: number
  device?: string
  check?: boolean
  json?: boolean
}

export const runner: Command = (program) =>
  program
    .command('runner')
    .description('lease jobs from a server and run them on this machine')
    .option(...serverOption)
    .option('--token-file <file>', "file with a runner token (PALIMPSEST_TOKEN, else the home's tokens.json)")
    .option('--name <name>', 'shown beside its jobs', hostname().slice(0, 80))
    .option(...homeOption)
    .option(...dataOption, collect)
    .option(...threadsOption, wholeNumber('threads', { min: 0, max: 1024 }), 0)
    .option(
      '--drain-seconds <n>',
      'how long a job may go on after Ctrl-C or SIGTERM',
      wholeNumber('drain-seconds', { min: 0, max: 86_400 }),
      60,
    )
    .addOption(deviceOption())
    .option('--check', 'say what this machine can do, and lease nothing; ends with 1 when its self-test fails')
    .option('--json', 'tell what happens as one JSON value a line')
    .addHelpText(
      'after',
      help(
        [
          'palimpsest runner --server https://palimpsest.example --token-file runner.token',
          'PALIMPSEST_TOKEN=pal_runner_... palimpsest runner --server http://127.0.0.1:8787 --threads 4',
          'palimpsest runner --check',
        ],
        'Ctrl-C or SIGTERM: lease nothing new, and give the current job back after --drain-seconds; a second one gives it back at once, a third one ends without.',
      ),
    )
    .action(execute)

async function execute(options: Options): Promise<void> {
  const { name, threads, drainSeconds } = options
  if (options.check) return check(options)
  if (name.length < 1 || name.length > 80) throw new UsageError('--name: expected 1 to 80 characters')
  const home = await openHome(options.home)
  const token = await tokenFor('runner', { tokenFile: options.tokenFile, home })
  const server = requireUrl(serverOf(options.server))
  const findings = await probeMachine({ threads })
  await requireDevice(options.device, findings)
  if (!passedSelfTest(findings)) throw new Error('the self-test failed: see `palimpsest runner --check`')
  const { drain, stop, release } = onDraining({
    drainMs: drainSeconds * 1000,
    onDrain: () => note(`Stopping: a job may go on for ${duration(drainSeconds)}; once more gives it back at once.`),
    onStop: () => note('Stopping: a job is given back; once more ends without.'),
  })
  const orphaned = new AbortController()
  // Started by another process of this program: ends with it.
  if (process.channel) {
    process.once('disconnect', () => orphaned.abort(new Error('the process that started this runner is gone')))
    process.channel.unref()
  }
  const client = createClient({
    server,
    token,
    onRetry: (message, pauseMs) =>
      tell({ kind: 'trouble', message: `${message}; next try in ${duration(pauseMs / 1000)}` }),
  })
  const tell = options.json ? printJsonLine : teller()
  note(`Runner ${name} asks ${server} for jobs.`)
  try {
    const store = openStore(home)
    const places = dataPlaces(home, options.data)
    const signal = AbortSignal.any([stop, orphaned.signal])
    const { probe } = findings
    await runLoop({ client, probe, store, places, threads, name, drain, signal, emit: tell })
  } catch (error) {
    if (error instanceof RemoteError) throw new UsageError(`${server} refused this runner: ${error.message}`)
    throw error
  } finally {
    release()
  }
  // SIGTERM is how services are stopped: that is a good end.
  if (drain.reason?.exitCode === 130) throw drain.reason
}

async function check({ threads, device, json }: Options): Promise<void> {
  const findings = await probeMachine({ threads })
  if (json) printJson(findings)
  else for (const line of findingsLines(findings)) print(line)
  await requireDevice(device, findings)
  if (!passedSelfTest(findings)) throw new Error('the self-test failed')
}

function requireUrl(server: string): string {
  const url = URL.parse(server)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return server
  throw new UsageError(`--server: expected an address such as https://palimpsest.example, got "${server}"`)
}

/** Lines for people: what begins and ends, progress now and then, troubles once each. */
function teller(): (event: AgentEvent) => void {
  const PROGRESS_EVERY_MS = 10_000
  let label = ''
  let begun = 0
  let told = 0
  let lastTrouble = ''
  return (event) => {
    if (event.kind !== 'trouble') lastTrouble = ''
    switch (event.kind) {
      case 'leased':
        label = stageLabel(event.spec)
        begun = told = performance.now()
        note(`${styled('cyan', '▸')} ${label}  ${styled('dim', event.key.slice(0, 12))}`)
        break
      case 'progress': {
        if (performance.now() - told < PROGRESS_EVERY_MS) break
        told = performance.now()
        const { phase, done, total, unit } = event.progress
        note(`  ${phase}: ${count(done)}/${count(total)} ${unit}`)
        break
      }
      case 'done':
        note(
          `${styled('green', '✓')} ${label}  ${event.reused ? 'reused' : duration((performance.now() - begun) / 1000)}`,
        )
        break
      case 'failed':
        note(`${styled('red', '✗')} ${label}  ${event.reason}: ${event.message}`)
        break
      case 'released':
        note(`${styled('yellow', '↩')} ${label}  given back (${event.reason})`)
        break
      case 'lost':
        note(`${styled('yellow', '!')} ${label}  lost: ${event.message}`)
        break
      case 'trouble':
        if (lastTrouble === '') note(`${styled('yellow', '!')} ${event.message}`)
        lastTrouble = event.message
        break
    }
  }
}
