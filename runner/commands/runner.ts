/** `palimpsest runner`: leases jobs from a server and runs them on this machine. */
import type { RunnerState } from '../../schema/protocol/lease.ts'
import { OLDEST_PROTOCOL, type Spoken } from '../../schema/protocol/version.ts'
import { SignatureError } from '../../schema/signature.ts'
import { runnerAccess } from '../agent/access.ts'
import { type Client, createClient, RemoteError } from '../agent/client.ts'
import { ContractError, remedyFor } from '../agent/contract.ts'
import { enrol, hasIdentity, type Identity, identityFor } from '../agent/identity.ts'
import type { AgentEvent } from '../agent/job-context.ts'
import { runLoop } from '../agent/loop.ts'
import { OrderError } from '../agent/order.ts'
import { type Pulse, startPulse } from '../agent/pulse.ts'
import { refusedBefore, rememberRefused } from '../agent/refused-order.ts'
import { passedSelfTest, probeMachine } from '../probe/probe.ts'
import type { DeviceKind } from '../probe/providers.ts'
import { checkPlaces, dataPlaces, openHome } from '../store/home.ts'
import { requireRoom } from '../store/local-fault.ts'
import { openStore } from '../store/store.ts'
import { findingsLines } from '../terminal/findings.ts'
import { note, print, printJson, printJsonLine, styled } from '../terminal/output.ts'
import { stageLabel } from '../terminal/stages.ts'
import { count, duration } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { enrolmentOption, nameFrom, secretFrom } from './enrol.ts'
import { collect, wholeNumber } from './parts/arguments.ts'
import { requireTools } from './parts/check-benchmark.ts'
import {
  type Command,
  dataOption,
  help,
  homeOption,
  nameOption,
  serverOf,
  serverOption,
  threadsOption,
} from './parts/command.ts'
import { deviceOption, precisionOption, requireDevice, setPrecision } from './parts/device-choice.ts'
import { onDraining } from './parts/interrupts.ts'

interface Options {
  server?: string
  enrolmentFile?: string
  name?: string
  home?: string
  data?: string[]
  threads: number
  drainSeconds: number
  device: DeviceKind
  precision: string
  check?: boolean
  json?: boolean
}

export const runner: Command = {
  group: 'Servers and runners',
  add: (program) =>
    program
      .command('runner')
      .description('lease jobs from a server and run them on this machine')
      .option(...serverOption)
      .option(...enrolmentOption)
      .option(...nameOption)
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
      .addOption(precisionOption())
      .option('--check', 'say what this machine can do, and lease nothing; ends with 1 when its self-test fails')
      .option('--json', 'tell what happens as one JSON value a line')
      .addHelpText(
        'after',
        help(
          [
            'PALIMPSEST_ENROLMENT=pal_enrol_... palimpsest runner --server https://palimpsest.example',
            'palimpsest runner --server https://palimpsest.example --threads 4',
            'palimpsest runner --check',
          ],
          'The secret is needed at the first start only: it becomes the identity in <home>/identity.json. A full disk and the like end it with 75, its job given back. Ctrl-C or SIGTERM: lease nothing new, and give the current job back after --drain-seconds; a second one gives it back at once, a third one ends without.',
        ),
      )
      .action(execute),
}

async function execute(options: Options): Promise<void> {
  const { threads, drainSeconds } = options
  if (options.check) return check(options)
  setPrecision(options.precision)
  const server = serverOf(options.server)
  const secret = await secretFrom(options)
  const name = nameFrom(options)
  const home = await openHome(options.home)
  await requireRoom(home)
  const refused = await refusedBefore(home, server)
  if (refused !== null) throw new UsageError(refused)
  if (!secret && !(await hasIdentity(home))) throw notEnrolled(server, home)
  const places = dataPlaces(home, options.data)
  await checkPlaces(places)
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
  const signal = AbortSignal.any([stop, orphaned.signal])
  const either = AbortSignal.any([drain, signal])
  const tell = options.json ? printJsonLine : teller()
  const onTrouble = (message: string) => tell({ kind: 'trouble', message })
  const onRetry = (message: string, pauseMs: number) => onTrouble(`${message}; next try in ${duration(pauseMs / 1000)}`)
  let pulse: Pulse | undefined
  try {
    const findings = await probeMachine({ threads, kind: options.device })
    requireTools()
    requireDevice(options.device, findings)
    if (!passedSelfTest(findings)) throw new Error('the self-test failed: see `palimpsest runner --check`')
    const open = createClient({ server, onRetry })
    requireSpoken(server, await open.spoken({ signal: either, retryForMs: Number.POSITIVE_INFINITY }))
    const identity = await identityAt({ home, client: open, secret, name, signal: either })
    const access = runnerAccess({ client: open, identity, onTrouble })
    pulse = startPulse(home, server)
    const client = createClient({ server, access, onRetry, onAnswer: pulse.answered })
    note(`Runner ${identity.name} (${identity.id}) asks ${server} for jobs.`)
    const store = openStore(home)
    const { probe, provider } = findings
    await runLoop({ client, identity, probe, store, places, threads, provider, drain, signal, emit: tell })
  } catch (error) {
    if (error instanceof RemoteError) throw new UsageError(`${server} refused this runner: ${error.message}`)
    if (isMisunderstanding(error)) {
      await rememberRefused(home, server, error.message)
      throw new UsageError(error.message)
    }
    if (!either.aborted) throw error
  } finally {
    await pulse?.stop()
    release()
  }
  // SIGTERM is how services are stopped: that is a good end.
  if (drain.reason?.exitCode === 130) throw drain.reason
}

/** What the server said is not what this release can carry out, and would not be at the next start either. */
const isMisunderstanding = (error: unknown): error is Error =>
  [OrderError, SignatureError, ContractError].some((kind) => error instanceof kind)

/** Before anything is leased: a server that speaks less than this release understands would have its jobs given back. */
function requireSpoken(server: string, spoken: Spoken): void {
  if (spoken.protocol < OLDEST_PROTOCOL) throw new UsageError(`${server}: ${remedyFor(spoken)}`)
}

interface Enrolment {
  home: string
  client: Client
  secret: string | null
  name: string
  signal: AbortSignal
}

/** What this machine is to the server; a secret makes it something at its first start. */
async function identityAt({ home, client, secret, name, signal }: Enrolment): Promise<Identity> {
  const known = await identityFor(home, client, { signal, retryForMs: Number.POSITIVE_INFINITY })
  if (known) return known
  if (secret) return enrol({ home, client }, { secret, name })
  throw notEnrolled(client.server, home)
}

const notEnrolled = (server: string, home: string) =>
  new UsageError(
    `this machine is not enrolled at ${server} (home ${home}): set PALIMPSEST_ENROLMENT or give --enrolment-file FILE, with a secret that an admin of the server makes by: palimpsest runners invite`,
  )

async function check({ threads, device, precision, json }: Options): Promise<void> {
  setPrecision(precision)
  const findings = await probeMachine({ threads, kind: device })
  if (json) printJson(findings)
  else for (const line of findingsLines(findings)) print(line)
  requireTools()
  requireDevice(device, findings)
  if (!passedSelfTest(findings)) throw new Error('the self-test failed')
}

/** What an admin decided, told to whoever looks at the runner. */
const standings: Record<RunnerState, string> = {
  active: 'active again: an admin resumed this runner',
  paused: 'paused by an admin: no jobs until this runner is resumed',
  draining: 'drained by an admin: no more jobs, so this runner ends',
  revoked: 'revoked by an admin',
}

const standingWords = ({ standing, reason }: Extract<AgentEvent, { kind: 'standing' }>): string =>
  reason === undefined
    ? standings[standing]
    : `paused by the server: ${reason}; no jobs until an admin looks into it and resumes this runner`

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
      case 'standing':
        note(`${styled('yellow', '!')} ${standingWords(event)}`)
        break
      case 'trouble':
        if (lastTrouble === '') note(`${styled('yellow', '!')} ${event.message}`)
        lastTrouble = event.message
        break
    }
  }
}
