/** `palimpsest sweep`: tunes methods on a benchmark or suite, each by the same number of trials on pilot seeds. */
import { Option } from 'commander'
import type { Benchmark } from '../../schema/benchmark.ts'
import { type Sampler, samplers, type Tuned } from '../pipeline/sweep.ts'
import { closerToRetrain } from '../science/catalogue/catalogue.ts'
import { print, printJson } from '../terminal/output.ts'
import { checkWritable, writeResult } from '../terminal/report.ts'
import { type Format, printSheets } from '../terminal/sheet.ts'
import { sweepPicture } from '../terminal/sweep-picture.ts'
import { printTrials, ranked, sweptLegend, sweptSheet, sweptTable } from '../terminal/swept.ts'
import { UsageError } from '../words/usage.ts'
import { collect, targetFrom, wholeNumber } from './parts/arguments.ts'
import { checkBenchmark } from './parts/check-benchmark.ts'
import { type Command, help } from './parts/command.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'
import { withLocalOptions } from './parts/local-options.ts'
import { type LocalOptions, openLocal } from './parts/local-setting.ts'
import { PILOTS, pilotsOf, searchesOf } from './parts/searches.ts'
import { rowsOf, tune } from './parts/tuning.ts'

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
    withLocalOptions(
      program
        .command('sweep')
        .description('tune methods on pilot seeds, each by the same number of trials')
        .usage('[options] <benchmark>')
        .argument('<benchmark>', 'its slug, that of a suite, or the path of a JSON file that defines one')
        .requiredOption(
          '--methods <list>',
          'such as ft,salun, or `all` that declare what to search; salun@mask=random fixes a parameter',
        )
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
        .option('--pilots <list>', 'the seeds to tune on, which no board shows', PILOTS)
        .option('--jobs <n>', 'how many runs go on at once', wholeNumber('jobs', { min: 1, max: 256 }), 1)
        .option('--out <file>', 'write the best settings as presets of a benchmark (JSON)')
        .option('--picture <file>', 'draw the gap against each parameter (SVG)')
        .addOption(formatOption())
        .option('--json', 'the same as --format json'),
    )
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
  if (closerToRetrain(benchmark).length === 0)
    throw new UsageError(
      `${target.slug}: none of its metrics is better the closer it is to retrain, so no gap can be tuned by`,
    )
  const pilots = pilotsOf(benchmark, options.pilots)
  const searches = searchesOf(benchmark, options)
  for (const name of ['out', 'picture'] as const) if (options[name]) await checkWritable(options[name], `--${name}`)
  const { target: pinned, context, places, release } = await openLocal(target, options)
  try {
    const asked = { target: pinned, searches, pilots }
    await tell(asked, await tune(asked, options, { context, places }), options, format)
  } finally {
    release()
  }
}

async function tell(
  asked: Parameters<typeof tune>[0],
  tuned: Tuned[],
  { out, picture }: Options,
  format: Format,
): Promise<void> {
  const { target, pilots } = asked
  const rows = rowsOf(asked, tuned)
  const presets = Object.fromEntries(rows.flatMap(({ method, label, params }) => (label ? [] : [[method, params]])))
  const result = { benchmark: target.slug, pilots, presets, rows }
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
