import type { Benchmark } from '../../schema/benchmark.ts'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { type Api, boardPage } from '../agent/api.ts'
import { benchmarks, lookUp } from '../pipeline/catalogue.ts'
import { methods, plannable } from '../science/catalogue/catalogue.ts'
import { type LocalServer, startLocalServer } from '../server/local.ts'
import { type RunnerProcess, startRunner } from '../server/runner-process.ts'
import { openHome } from '../store/home.ts'
import { boardLegend, boardTable, boardVerdict } from '../terminal/board.ts'
import { note, print, printJson, styled } from '../terminal/output.ts'
import { seedsText } from '../words/command.ts'
import { labelled } from '../words/names.ts'
import { duration, plural } from '../words/numbers.ts'
import { collect, resolveParams, seedsFrom, wholeNumber } from './parts/arguments.ts'
import { requireTools } from './parts/check-benchmark.ts'
import { type Command, DEFAULT_PORT, dataOption, help, homeOption, threadsOption } from './parts/command.ts'
import { chooseProvider } from './parts/device-choice.ts'
import { type Entry, FIRST_ENTRIES, tunedEntries } from './parts/entries.ts'
import { onInterrupts } from './parts/interrupts.ts'
import { PILOTS } from './parts/searches.ts'
import { type WatchedRun, watchRuns } from './parts/watch-runs.ts'
import { untilStopped } from './serve.ts'

export const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
/** The same with probes: a board that ranks many methods should say as well what a rank does not. */
const PROBED = `${SLUG}.probed`

/** Seeds of the first board; the runner goes on with the others while it is looked at. */
const FIRST_SEEDS = 3

interface Options {
  seeds?: string
  all?: boolean
  trials: number
  pilots: string
  jobs: number
  port: number
  home?: string
  data?: string[]
  threads: number
  serve: boolean
  json?: boolean
}

export const quickstart: Command = {
  group: 'First',
  add: (program) =>
    program
      .command('quickstart')
      .description('worker, one runner and a first board, all on this machine')
      .option('--seeds <list>', 'such as 0,1,2 or 0-4 (default: the first three, then the others while it serves)')
      .option('--all', 'tune every method by one budget first; then a board of all of them with their controls')
      .option('--trials <n>', 'that budget: settings of each method', wholeNumber('trials', { min: 1, max: 1000 }), 5)
      .option('--pilots <list>', 'the seeds to tune on, which the board does not show', PILOTS)
      .option('--jobs <n>', 'how many trials go on at once', wholeNumber('jobs', { min: 1, max: 256 }), 1)
      .option(
        '--port <n>',
        'port of 127.0.0.1; 0 takes a free one',
        wholeNumber('port', { min: 0, max: 65_535 }),
        DEFAULT_PORT,
      )
      .option('--no-serve', 'end once the board is complete')
      .option('--json', 'the board as JSON')
      .option(...homeOption)
      .option(...dataOption, collect)
      .option(...threadsOption, wholeNumber('threads', { min: 0, max: 1024 }), 0)
      .addHelpText(
        'after',
        help(
          [
            'npm start',
            'npm start -- --seeds 0 --no-serve',
            'palimpsest quickstart --port 9000 --home /tmp/board',
            'npm start -- --all',
          ],
          'With --all it takes an hour or more on two processors. The same command goes on where it stopped.',
        ),
      )
      .action(execute),
}

async function execute(options: Options): Promise<void> {
  const benchmark = lookUp('benchmark', benchmarks, options.all ? PROBED : SLUG)
  const { slug, seeds: own } = benchmark
  const first = options.all ? own : own.slice(0, FIRST_SEEDS)
  const seeds = options.seeds === undefined ? first : seedsFrom(options.seeds)
  await chooseProvider('cpu') // refuses where no stage can run
  requireTools()
  const home = await openHome(options.home)
  const started = performance.now()
  const entries = options.all ? await tunedEntries(lookUp('benchmark', benchmarks, SLUG), options) : FIRST_ENTRIES
  const { signal, release } = onInterrupts(() => note('Stopping; Ctrl-C again ends at once.'))
  let server: LocalServer | undefined
  let runner: RunnerProcess | undefined
  try {
    note('Starting the worker ...')
    server = await startLocalServer({ home, port: options.port, signal })
    const page = boardPage(server.url, slug)
    note(`Board: ${styled('underline', page)}`)
    const runs = await submitAll(server.api, { benchmark, entries, seeds })
    const watched = await watchRuns(server.api, runs)
    try {
      runner = startRunner({
        server: server.url,
        home,
        data: options.data ?? [],
        threads: options.threads,
        onEvent: watched.onEvent,
        onLoss: watched.onLoss,
      })
      await Promise.race([watched.untilDone(signal), diesEarly(server)])
    } finally {
      watched.stop()
    }
    const found = await server.api.board(slug)
    const states = Object.values(runs).map(({ state }) => state)
    const failed = states.filter((state) => state !== 'done').length
    note(`Finished ${plural(runs.length, 'run')} in ${duration((performance.now() - started) / 1000)}.`)
    if (options.json) printJson(found)
    else {
      print()
      for (const line of boardTable(found)) print(line)
      for (const line of [...boardLegend(found), ...boardVerdict(found)]) print(line)
      print(`Board: ${page}`)
    }
    const missing = own.filter((seed) => !seeds.includes(seed))
    const goesOn = options.serve && options.seeds === undefined && missing.length > 0
    if (goesOn) await submitAll(server.api, { benchmark, entries, seeds: missing })
    if (missing.length > 0)
      note(
        goesOn
          ? `The runner goes on with the seeds ${seedsText(missing)}: rows have ranks once all ${own.length} are measured.`
          : `Ranks need all ${own.length} seeds of the benchmark: npm start -- --seeds ${seedsText(own)} adds those that are missing.`,
      )
    if (options.serve) {
      note('Serving until Ctrl-C.')
      await untilStopped(server.ended, signal, { log: server.log, home })
    }
    if (failed > 0) throw new Error(`${plural(failed, 'run')} did not finish; the page of each says why`)
  } finally {
    await runner?.stop()
    await server?.stop()
    release()
  }
}

/** Sends what was not sent before; runs that failed or were cancelled are asked for once more. */
async function submitAll(
  api: Api,
  { benchmark, entries, seeds }: { benchmark: Benchmark; entries: Entry[]; seeds: number[] },
): Promise<WatchedRun[]> {
  const definition = await definitionOf(benchmark)
  const runs: WatchedRun[] = []
  for (const { method: id, params = {}, label = '', tuning } of entries) {
    const method = plannable(id, lookUp('method', methods, id))
    const resolved = resolveParams(benchmark, id, params)
    const send = async (seeds: number[], again: string) => {
      const body = { benchmark: benchmark.slug, method: id, params, label, seeds, ...(tuning && { tuning }) }
      // A new definition or version is another request, though the words are the same.
      const key = await sha256Hex(canonicalJson({ ...body, definition, version: method.version, resolved, again }))
      return api.submit(body, `quickstart-${key}`)
    }
    const first = await send(seeds, '')
    const isBroken = ({ state }: { state: string }) => state === 'failed' || state === 'cancelled'
    const broken = first.runs.filter(isBroken).map(({ seed }) => seed)
    const submissions = broken.length > 0 ? [first, await send(broken, new Date().toISOString())] : [first]
    for (const submission of submissions) {
      for (const run of submission.runs.filter((run) => !isBroken(run))) {
        const stages = await planRun(benchmark, method, resolved, run.seed)
        runs.push({
          id: run.id,
          name: labelled({ title: id, label }),
          state: run.state,
          submission: submission.id,
          stages,
        })
      }
    }
  }
  return runs
}

async function diesEarly({ ended, log }: LocalServer): Promise<never> {
  await ended
  throw new Error(`the worker ended by itself; its last words are in ${log}`)
}
