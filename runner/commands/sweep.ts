/** `palimpsest sweep`: tunes methods on a benchmark or suite, each by the same number of trials on pilot seeds. */
import { Option } from 'commander'
import type { Benchmark } from '../../schema/benchmark.ts'
import type { Target } from '../../schema/catalogue/catalogue.ts'
import { lookUp } from '../pipeline/catalogue.ts'
import { type Dropped, type LocalRun, planLocal, rowOf, type runLocal } from '../pipeline/local.ts'
import { methodsOf, presetOf, type Sampler, type Searched, samplers, type Tuned, tunedOf } from '../pipeline/sweep.ts'
import { doneBefore, remembering, sweepJournal } from '../pipeline/sweep-journal.ts'
import { closerToRetrain, methods, REFERENCE } from '../science/catalogue/catalogue.ts'
import type { DataPlaces } from '../store/home.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { checkWritable, writeResult } from '../terminal/report.ts'
import { type Format, printSheets } from '../terminal/sheet.ts'
import { sweepPicture } from '../terminal/sweep-picture.ts'
import { printTrials, ranked, sweptLegend, sweptSheet, sweptTable } from '../terminal/swept.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { collect, targetFrom, wholeNumber } from './parts/arguments.ts'
import { checkBenchmark } from './parts/check-benchmark.ts'
import { type Command, dataOption, help, homeOption, threadsOption } from './parts/command.ts'
import { deviceOption, precisionOption } from './parts/device-choice.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'
import { methodOn, runWithProgress } from './parts/local-runs.ts'
import { type LocalOptions, openLocal } from './parts/local-setting.ts'
import { pilotsOf, searchesOf } from './parts/searches.ts'

interface Options extends FormatOptions, LocalOptions {
  methods: string
  param?: string[]
  trials?: number
  sampler: Sampler
  pilots: string
  jobs: number
  server?: string
  out?: string
  picture?: string
}

export const sweep: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('sweep')
      .description('tune methods on pilot seeds, each by the same number of trials')
      .usage('[options] <benchmark>')
      .argument('<benchmark>', 'its slug, that of a suite, or the path of a JSON file that defines one')
      .requiredOption('--methods <list>', 'such as ft,salun, or `all` that declare what to search')
      .option(
        '--param <name=space>',
        'in place of what the one method declares: values a,b or a range low..high; with several methods METHOD.name=space (repeatable)',
        collect,
      )
      .option(
        '--trials <n>',
        'so many points of each space (default: 7; of values alone all combinations)',
        wholeNumber('trials', { min: 1, max: 1000 }),
      )
      .addOption(new Option('--sampler <kind>', 'how points are drawn').choices(samplers).default('halton'))
      .option('--pilots <list>', 'the seeds to tune on, which no board shows', '1000,1001')
      .option('--jobs <n>', 'how many runs go on at once', wholeNumber('jobs', { min: 1, max: 256 }), 1)
      .option('--out <file>', 'write the best settings as presets of a benchmark (JSON)')
      .option('--picture <file>', 'draw the gap against each parameter (SVG)')
      .addOption(formatOption())
      .option('--json', 'the same as --format json')
      .option('--server <url>', 'the server of a benchmark of its own, such as own.pets (PALIMPSEST_SERVER)')
      .option(...dataOption, collect)
      .option(...homeOption)
      .option(...threadsOption, wholeNumber('threads', { min: 0, max: 1024 }), 0)
      .addOption(deviceOption())
      .addOption(precisionOption())
      .addHelpText(
        'after',
        help(
          [
            'palimpsest sweep fashion-mnist-5k.small-cnn.random-10 --methods all --trials 7 --out presets.json',
            'palimpsest sweep my-benchmark.json --methods salun --param learningRate=1e-3..1e-1 --param density=0.3,0.5 --trials 12',
            'palimpsest sweep my-benchmark.json --methods ft,ga --param ft.learningRate=0.01,0.1 --trials 7 --jobs 2 --threads 1',
          ],
          'A range is of logarithms where both ends are positive and a decade apart; lin: and log: before it overrule that. A\ntrial is scored by the mean Avg. Gap to retrain over the pilots; one that diverges counts as infinitely far. The same\ncommand goes on where it stopped, and with more --trials it adds to those that are done.',
        ),
      )
      .action(execute),
}

async function execute(word: string, options: Options): Promise<void> {
  const target = await targetFrom(word, options.server)
  const [benchmark] = target.benchmarks as [Benchmark]
  const format = formatOf(options)
  checkBenchmark(benchmark)
  const closer = closerToRetrain(benchmark)
  if (closer.length === 0)
    throw new UsageError(
      `${target.slug}: none of its metrics is better the closer it is to retrain, so no gap can be tuned by`,
    )
  const pilots = pilotsOf(benchmark, options.pilots)
  const searches = searchesOf(benchmark, options)
  for (const name of ['out', 'picture'] as const) if (options[name]) await checkWritable(options[name], `--${name}`)
  const { target: pinned, context, places, release } = await openLocal(target, options)
  try {
    const { runs, dropped } = await measure({ target: pinned, searches, pilots }, options, { ...context, places })
    const tuned = searches.map((search) => tunedOf(search, { runs, dropped, closer }))
    await tell({ target: pinned, searches, tuned, pilots }, options, format)
  } finally {
    release()
  }
}

interface Asked {
  target: Target
  searches: Searched[]
  pilots: number[]
}

/** Everything that is asked for, of which what was done before is read. */
async function measure(
  { target, searches, pilots }: Asked,
  { jobs, threads }: Options,
  { places, ...context }: Omit<Parameters<typeof runLocal>[1], 'places'> & { places: DataPlaces },
): Promise<{ runs: LocalRun[]; dropped: Dropped[] }> {
  const reference = methodOn(target.benchmarks[0]!, REFERENCE, {})
  const chosen = searches.flatMap((search) => methodsOf(search, lookUp('method', methods, search.method)))
  const plan = await planLocal(target.benchmarks, { reference, methods: chosen, seeds: pilots })
  const journal = await sweepJournal(context.store.home, target)
  const before = doneBefore(journal, plan)
  const rows = chosen.length * pilots.length * target.benchmarks.length
  note(
    `${plural(searches.length, 'method')}, ${plural(chosen.length, 'trial')}, ${plural(rows, 'run')} beside retrain.`,
  )
  if (before.runs.size + before.failed > 0) {
    const failed = before.failed > 0 ? `, ${before.failed} failed` : ''
    note(`Going on: ${plural(before.runs.size, 'run')} ${before.runs.size === 1 ? 'is' : 'are'} done${failed}.`)
  }

  return await runWithProgress(
    plan,
    { ...context, places },
    {
      target,
      jobs,
      threads,
      wrapped: (compute) => remembering(compute, journal),
      isTold(run) {
        const { key } = run.stages.at(-1)!
        if (before.runs.has(key)) return false
        const { benchmark, seed, avgGap } = run
        journal.add({ at: new Date().toISOString(), run: key, row: rowOf(run), benchmark, seed, avgGap: avgGap! })
        return true
      },
    },
  )
}

async function tell(
  { target, searches, tuned, pilots }: Asked & { tuned: Tuned[] },
  { out, picture }: Options,
  format: Format,
): Promise<void> {
  const [benchmark] = target.benchmarks as [Benchmark]
  const presets = Object.fromEntries(
    tuned.flatMap((each, at) => {
      const preset = presetOf(benchmark, each, searches[at]!.trials)
      return preset ? [[each.method, preset]] : []
    }),
  )
  const costs = tuned.map(
    ({ method, trials, seconds }) => [method, { trials: trials.length, pilots, seconds }] as const,
  )
  const result = { benchmark: target.slug, pilots, presets, tuning: Object.fromEntries(costs) }
  if (out !== undefined) await writeResult('--out', out, `${JSON.stringify(result, null, 2)}\n`)
  const title = `${target.title}: tuning`
  if (picture !== undefined) await writeResult('--picture', picture, sweepPicture(title, ranked(tuned)))
  if (format === 'json') return printJson({ ...result, methods: ranked(tuned) })
  if (format !== 'table') return printSheets([sweptSheet(tuned, title, sweptLegend(pilots))], format)
  print()
  print(title)
  for (const line of [...sweptTable(tuned), ...sweptLegend(pilots)]) print(line)
  printTrials(tuned)
}
