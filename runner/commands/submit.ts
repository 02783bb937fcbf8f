/** `palimpsest submit`: asks a server to run a method on a benchmark or suite. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Submission } from '../../schema/api/submission.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import type { Every } from '../../schema/stage.ts'
import { type Api, boardPage } from '../agent/api.ts'
import { apiRunLine } from '../terminal/api-run.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { plural } from '../words/numbers.ts'
import { apiAs } from './parts/api-as.ts'
import { collect, once, paramsFrom, resolveParams, seedsFrom, targetAt } from './parts/arguments.ts'
import { type Command, help, homeOption, serverOption } from './parts/command.ts'
import { checkEvery, everyOption } from './parts/every.ts'
import { onInterrupts } from './parts/interrupts.ts'
import { tuningFrom } from './parts/tuning-file.ts'

interface Options {
  method: string
  param?: string[]
  seeds?: string
  label: string
  tuning?: string
  private?: boolean
  server?: string
  tokenFile?: string
  home?: string
  key?: string
  every?: Every
  watch?: boolean
  json?: boolean
}

export const submit: Command = {
  group: 'At a server',
  add: (program) =>
    program
      .command('submit')
      .description('submit a method to a benchmark or suite of a server')
      .argument('<benchmark>', 'its slug, or that of a suite for all its classes')
      .requiredOption(
        '--method <id>',
        'a method of `palimpsest list methods`',
        once('method', 'submit each by a command of its own'),
      )
      .option('--param <name=value>', 'a parameter of the method (repeatable)', collect)
      .option('--seeds <list>', "such as 0,1,2 or 0-9 (default: the benchmark's own)")
      .option('--label <text>', 'shown beside the method, to tell two settings apart', '')
      .option('--tuning <file>', 'what `palimpsest sweep --out` wrote: its cost is shown with the row')
      .addOption(everyOption())
      .option('--private', 'on no board, list or page: only you and admins can read it')
      .option(...serverOption)
      .option('--token-file <file>', "file with a submitter token (PALIMPSEST_TOKEN, else the home's tokens.json)")
      .option(...homeOption)
      .option('--key <text>', 'idempotency key: the same key and request make one submission, however often it is sent')
      .option('--watch', 'wait until all runs have ended; Ctrl-C only stops watching')
      .option('--json', 'the submission as JSON')
      .addHelpText(
        'after',
        help([
          'palimpsest submit fashion-mnist-5k.small-cnn.random-10 --method salun --param density=0.3 --watch',
          'palimpsest submit fashion-mnist-5k.small-cnn.class-wise --method salun --seeds 0',
          'palimpsest submit cifar10.resnet18.random-10 --method ft --seeds 0-9 --server https://palimpsest.example --token-file my.token',
        ]),
      )
      .action(execute),
}

async function execute(slug: string, options: Options): Promise<void> {
  const { method, label } = options
  // Benchmarks of a suite share presets and methods.
  const [benchmark] = (await targetAt(slug, options.server)).benchmarks as [Benchmark]
  const params = paramsFrom(benchmark, method, options.param)
  resolveParams(benchmark, method, params)
  checkEvery(benchmark, [method], options.every)
  const seeds = options.seeds === undefined ? undefined : seedsFrom(options.seeds)
  const claim = options.tuning === undefined ? undefined : await tuningFrom(options.tuning, { method, label })
  const api = await apiAs('submitter', options)
  const visibility = options.private ? ('private' as const) : ('public' as const)
  const body = {
    benchmark: slug,
    method,
    params,
    label,
    visibility,
    ...(seeds && { seeds }),
    ...(claim && { tuning: claim }),
    ...(options.every && { every: options.every }),
  }
  const submission = await api.submit(body, options.key ?? randomUUID())
  if (options.json && !options.watch) printJson(submission)
  else if (!options.json) print(submission.id)
  const where = options.private ? 'It is private: read it with your token.' : `Board: ${boardPage(api.server, slug)}`
  note(`Submitted ${method} with ${plural(submission.runs.length, 'run')}. ${where}`)
  for (const words of new Set(submission.waiting.map(({ words }) => words))) note(`It waits: ${words}.`)
  if (!options.watch) return
  const { signal, release } = onInterrupts()
  try {
    const ended = await watch(api, submission.id, signal)
    if (options.json) printJson(ended)
    const bad = ended.runs.filter(({ state }) => state !== 'done')
    if (bad.length > 0) throw new Error(`${plural(bad.length, 'run')} of ${ended.runs.length} did not finish`)
  } finally {
    release()
  }
}

const POLL_MS = 3000

/** Tells each run's end once. */
async function watch(api: Api, id: string, signal: AbortSignal): Promise<Submission> {
  const told = new Set<string>()
  for (;;) {
    const submission = await api.submission(id)
    for (const { id: run, state } of submission.runs) {
      if (told.has(run) || state === 'queued' || state === 'running') continue
      told.add(run)
      note(apiRunLine(await api.run(run)))
    }
    if (told.size === submission.runs.length) return submission
    try {
      await sleep(POLL_MS, undefined, { signal })
    } catch {
      throw signal.reason
    }
  }
}
