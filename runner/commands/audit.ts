/** `palimpsest audit`: methods beside retrain by many models each, with what the metrics find between equal models. */
import { extname } from 'node:path'
import type { Benchmark } from '../../schema/benchmark.ts'
import {
  type Audited,
  auditOf,
  auditSeeds,
  checkOneForgetSet,
  planAudit,
  populationOf,
  readPopulations,
} from '../pipeline/audit.ts'
import { rowOf } from '../pipeline/local.ts'
import { ORIGINAL, REFERENCE } from '../science/catalogue/catalogue.ts'
import { auditPicture } from '../terminal/audit-picture.ts'
import { type AuditReport, auditMarkdown, auditSheets, printAudit } from '../terminal/audited.ts'
import { note, printJson } from '../terminal/output.ts'
import { checkWritable, writeResult } from '../terminal/report.ts'
import { printSheets } from '../terminal/sheet.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { forgettingList, targetFrom, wholeNumber } from './parts/arguments.ts'
import { checkBenchmark } from './parts/check-benchmark.ts'
import { type Command, help } from './parts/command.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'
import { withLocalOptions } from './parts/local-options.ts'
import { methodOn, runWithProgress } from './parts/local-runs.ts'
import { type LocalOptions, openLocal, type Setting } from './parts/local-setting.ts'
import { withOneForgetSet } from './parts/one-forget-set.ts'

interface Options extends FormatOptions, LocalOptions {
  methods: string
  models: number
  seedsFrom: number
  forget?: string
  forgetSeed?: number
  jobs: number
  server?: string
  out?: string
  picture?: string
}

const MOST_SEED = 2 ** 31 - 1

export const audit: Command = {
  group: 'On this machine',
  add: (program) =>
    withLocalOptions(
      program
        .command('audit')
        .description('hold methods against retrain by many models each: KLOM, U-LiRA, RULI and the NeurIPS’23 score')
        .usage('[options] <benchmark>')
        .argument('<benchmark>', 'its slug, or the path of a JSON file that defines one')
        .requiredOption('--methods <list>', 'such as ft,salun, as the benchmark presets them')
        .option(
          '--models <n>',
          'so many of each row, and twice as many retrained',
          wholeNumber('models', { min: 1, max: 1000 }),
          64,
        )
        .option('--seeds-from <n>', 'the first seed', wholeNumber('seeds-from', { min: 0, max: MOST_SEED }), 2000)
        .option('--forget <file>', 'a list of positions in the training set, .npy, .txt or .json, as D_f of all models')
        .option(
          '--forget-seed <n>',
          'what this seed draws as D_f of all models',
          wholeNumber('forget-seed', { min: 0, max: MOST_SEED }),
        )
        .option('--jobs <n>', 'how many runs go on at once', wholeNumber('jobs', { min: 1, max: 256 }), 1)
        .option('--out <file>', 'write the report: .json or .md')
        .option('--picture <file>', 'draw each row beside the floor (SVG)')
        .addOption(formatOption())
        .option('--json', 'the same as --format json'),
    )
      .addHelpText(
        'after',
        help(
          [
            'palimpsest audit fashion-mnist-5k.small-cnn.random-10 --methods ft,salun --forget-seed 0 --jobs 2 --threads 1',
            'palimpsest audit fashion-mnist-5k.small-cnn.class-0 --methods salun --models 100 --out report.md',
            'palimpsest audit my-benchmark.json --methods ft,ga --forget hardest.npy --format markdown',
          ],
          'All models forget the same images, so that each image has a spread over models on either side. Original and retrain of the\nseeds are the shadow models: trained once, kept in the home, and used by every audit of the same forget set. The same\ncommand goes on where it stopped, and with other methods or more models it computes what is missing.\n\nA metric shows rows of 64 models and more. Every number has a floor beside it: the same number between two halves of the\nretrained models. Without it these metrics say nothing: KLOM between 10 and 10 equal models is about 6.',
        ),
      )
      .action(execute),
}

async function execute(word: string, options: Options): Promise<void> {
  const { forget, forgetSeed, models, out, picture } = options
  if (forget !== undefined && forgetSeed !== undefined)
    throw new UsageError('expected either --forget FILE or --forget-seed N, got both')
  const named = await targetFrom(word, options.server)
  const target = forget === undefined ? named : await forgettingList(named, forget)
  const [benchmark] = target.benchmarks as [Benchmark]
  if (target.benchmarks.length > 1)
    throw new UsageError(
      `expected one benchmark, got the suite ${target.slug}; name one of its benchmarks, such as ${benchmark.slug}`,
    )
  const format = formatOf(options)
  if (out !== undefined) {
    if (!['.json', '.md'].includes(extname(out)))
      throw new UsageError(`--out ${out}: expected a file that ends in .json or .md`)
    await checkWritable(out, '--out')
  }
  if (picture !== undefined) await checkWritable(picture, '--picture')
  checkBenchmark(benchmark)
  const least = Math.max(...Object.values(populationOf(benchmark).metrics).map(({ least }) => least))
  // The original shows what no unlearning comes to.
  const rows = [...new Set([ORIGINAL, ...options.methods.split(',').map((id) => id.trim())])]
  const methods = rows.filter((id) => id !== REFERENCE).map((id) => methodOn(benchmark, id, {}))
  if (models < least)
    note(
      `--models ${models}: rows of fewer than ${least} models get no number, only the reason; give ${least} or more.`,
    )

  const { target: pinned, context, release } = await openLocal(target, options)
  try {
    const chosen =
      forgetSeed === undefined ? { target: pinned, ...context } : await withOneForgetSet(pinned, forgetSeed, context)
    const report = await measured(chosen, { ...options, methods })
    if (out !== undefined) await writeResult('--out', out, contentOf(report, out))
    if (picture !== undefined)
      await writeResult('--picture', picture, auditPicture(`${report.benchmark}: audit`, report.metrics))
    if (format === 'json') printJson(report)
    else if (format === 'table') printAudit(report)
    else printSheets(auditSheets(report), format)
  } finally {
    release()
  }
}

async function measured(
  { target, ...setting }: Setting,
  { methods, models, seedsFrom, jobs, threads }: Omit<Options, 'methods'> & { methods: ReturnType<typeof methodOn>[] },
): Promise<AuditReport> {
  const [benchmark] = target.benchmarks as [Benchmark]
  const seeds = auditSeeds(models, seedsFrom)
  const forgotten = await checkOneForgetSet(benchmark, seeds, setting)
  const reference = methodOn(benchmark, REFERENCE, {})
  const plan = await planAudit(benchmark, { reference, methods, seeds })
  note(
    `${plural(models * (methods.length + 1), 'model')} in ${plural(methods.length + 1, 'row')}, beside ${plural(models, 'retrained one')}.`,
  )
  const isTold = (_: unknown, { fresh }: { fresh: boolean }) => fresh
  const { runs, dropped } = await runWithProgress(plan, setting, { target, jobs, threads, isTold })
  const { store, signal } = setting
  note(`Reading what ${plural(runs.length, 'model')} answered.`)
  const populations = await readPopulations(benchmark, runs, {
    reference: rowOf({ method: reference.id }),
    seeds,
    store,
    signal,
  })
  const metrics: Audited[] = []
  for (const audited of auditOf(benchmark, populations, { dropped, reference: reference.id })) {
    note(`✓ ${audited.title}`)
    metrics.push(audited)
    // Ctrl-C is heard between metrics.
    await new Promise((done) => setImmediate(done))
    signal.throwIfAborted()
  }
  const { slug, title } = benchmark
  return {
    ...{ benchmark: slug, title, models, forget: forgotten },
    seeds: { rows: seeds.own, retrained: seeds.beside },
    settings: Object.fromEntries(
      methods.flatMap(({ id, params }) => (Object.keys(params).length > 0 ? [[id, params]] : [])),
    ),
    metrics,
  }
}

const contentOf = (report: AuditReport, file: string) =>
  extname(file) === '.json' ? `${JSON.stringify(report, null, 2)}\n` : auditMarkdown(report)
