/** `palimpsest run`: a method on a benchmark or suite on this machine, without a server. */
import { join } from 'node:path'
import type { Benchmark } from '../../schema/benchmark.ts'
import type { Every } from '../../schema/stage.ts'
import { lookUp } from '../pipeline/catalogue.ts'
import { type Dropped, type LocalMethod, planLocal, rowOf, runLocal } from '../pipeline/local.ts'
import { saveSplits, splitsOf } from '../pipeline/splits.ts'
import { variantOf } from '../pipeline/sweep.ts'
import { methods, offersOn, plannable, REFERENCE, resolveParams as resolved } from '../science/catalogue/catalogue.ts'
import { type Dimension, gridOf } from '../science/search.ts'
import { note } from '../terminal/output.ts'
import { showProgress } from '../terminal/progress.ts'
import { checkWritable, dropLine, report, rowTitle, runLine } from '../terminal/report.ts'
import { stageLabel, workOf } from '../terminal/stages.ts'
import { duration, plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import {
  collect,
  forgettingList,
  resolveSettings,
  seedsFrom,
  spaceFrom,
  targetFrom,
  withProbesOf,
} from './parts/arguments.ts'
import { checkBenchmark } from './parts/check-benchmark.ts'
import { type Command, help } from './parts/command.ts'
import { checkEvery, everyOption } from './parts/every.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'
import { withLocalOptions } from './parts/local-options.ts'
import { methodOn } from './parts/local-runs.ts'
import { type LocalOptions, openLocal } from './parts/local-setting.ts'
import { keepSources, namedMethods } from './parts/method-files.ts'

interface Options extends FormatOptions, LocalOptions {
  method: string[]
  param?: string[]
  seeds?: string
  server?: string
  force?: boolean
  forget?: string
  saveSplit?: string
  every?: Every
  probes?: boolean
}

export const run: Command = {
  group: 'On this machine',
  add: (program) =>
    withLocalOptions(
      program
        .command('run')
        .description('run a method on a benchmark or suite on this machine, without a server')
        .usage('[options] <benchmark>')
        .argument(
          '[benchmark]',
          'its slug, that of a suite for all its classes, or the path of a JSON file that defines one',
        )
        .requiredOption(
          '--method <id>',
          'a method of `palimpsest list methods`, or a file of your own such as ./my-method.ts (repeatable), or `all` with their defaults',
          collect,
        )
        .option(
          '--param <name=value>',
          'a parameter of the one method, or several values of it as a,b (repeatable)',
          collect,
        )
        .option('--seeds <list>', "such as 0,1,2 or 0-9 (default: the benchmark's own)")
        .option(
          '--forget <file>',
          "a list of positions in the training set, .npy, .txt or .json, or a folder `forget`, as D_f in place of the benchmark's",
        )
        .option('--save-split <dir>', 'write D_f and D_r of each seed there, as seed-0/forget.npy and retain.npy')
        .addOption(everyOption())
        .option('--probes', 'train each model on D_f again, and fit linear classifiers to its features: metrics more')
        .option('--force', 'compute every stage anew, also those that were computed before')
        .addOption(formatOption())
        .option('--json [file]', 'all values as JSON to stdout, or into a file'),
    )
      .addHelpText(
        'after',
        help(
          [
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --seeds 0,1,2',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --param density=0.3 --json result.json',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method ft --method salun --seeds 0',
            'palimpsest run fashion-mnist-5k.small-cnn.class-wise --method salun --seeds 0',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method ft --param learningRate=0.01,0.1 --seeds 0',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --seeds 0 --every epoch',
            'palimpsest run fashion-mnist-5k.small-cnn.class-0 --method salun --seeds 0 --probes',
            'palimpsest run my-benchmark.json --method ft --seeds 0',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method ./my-method.ts --method ft --seeds 0',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --seeds 0 --save-split splits',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --seeds 0 --forget splits/seed-0/forget.npy',
          ],
          'Each seed is retrained too, since every score is compared with retrain. Ctrl-C stops; the same command goes on\nwith the first stage that is not finished. What was computed on another device, with other threads or with another\nsource of the method is not taken for it.',
        ),
      )
      .action(execute),
}

async function execute(word: string | undefined, options: Options): Promise<void> {
  const named = await targetFrom(word ?? missing(options), options.server)
  const asked = options.forget === undefined ? named : await forgettingList(named, options.forget)
  // What probes ask depends on what is forgotten.
  const target = options.probes ? withProbesOf(asked) : asked
  // Benchmarks of a suite differ only in the class to be forgotten.
  const [benchmark] = target.benchmarks as [Benchmark]
  const { ids, sources } = await namedMethods(options.method)
  const chosen = chosenMethods(benchmark, { ...options, method: ids })
  const seeds = options.seeds === undefined ? benchmark.seeds : seedsFrom(options.seeds)
  const format = formatOf(options)
  checkBenchmark(benchmark)
  checkEvery(
    benchmark,
    chosen.map(({ id }) => id),
    options.every,
  )
  const file = typeof options.json === 'string' ? options.json : undefined
  if (file !== undefined) await checkWritable(file)
  const { target: pinned, context, release } = await openLocal(target, options)
  await keepSources(sources, context.store)
  const alone = pinned.benchmarks.length === 1
  for (const each of pinned.benchmarks) await prepareSplits(each, { ...options, seeds, alone }, context)
  const reference = methodOn(benchmark, REFERENCE, {})
  const plan = await planLocal(pinned.benchmarks, { reference, methods: chosen, seeds, every: options.every })

  const started = performance.now()
  const work = await workOf(plan.stages)
  const view = showProgress({ all: [...work.values()], done: [] })
  let [finishedStages, reusedStages] = [0, 0]
  const dropped: Dropped[] = []
  try {
    const runs = await runLocal(
      plan,
      { ...context, force: options.force },
      {
        onBegin: ({ key, spec, ...row }) =>
          view.begin({ label: stageLabel(spec, rowOf(row), row.seed), work: work.get(key)! }),
        onProgress: (_, progress) => view.update(progress),
        onEnd({ key }, { reused }) {
          finishedStages += 1
          if (reused) reusedStages += 1
          view.end({ work: work.get(key)!, reused })
        },
        onRun: (done) => view.line(runLine(done, pinned)),
        onFail: () => view.drop(),
        // Of one method alone there is nothing left to go on with.
        ...(chosen.length > 1 && {
          onDrop(drop: Dropped) {
            dropped.push(drop)
            view.line(dropLine(drop))
          },
        }),
      },
    )
    view.stop()
    const seconds = (performance.now() - started) / 1000
    const reused = reusedStages > 0 ? ` (${reusedStages} reused)` : ''
    note(`Finished ${plural(finishedStages, 'stage')}${reused} in ${duration(seconds)}.`)
    await report({ target: pinned, methods: chosen, seeds, runs, dropped }, { format, file })
    if (dropped.length > 0) throw new Error(unfinished(dropped, chosen))
  } finally {
    view.stop()
    release()
  }
}

/** A list that one of the seeds can't answer should not be found out after the seeds before it. */
async function prepareSplits(
  benchmark: Benchmark,
  { saveSplit, seeds, alone }: Pick<Options, 'saveSplit'> & { seeds: number[]; alone: boolean },
  where: Parameters<typeof splitsOf>[2],
): Promise<void> {
  if (saveSplit === undefined && benchmark.request.kind !== 'items') return
  const splits = await splitsOf(benchmark, seeds, where)
  if (saveSplit !== undefined) await saveSplits(alone ? saveSplit : join(saveSplit, benchmark.slug), splits)
}

/** `run --json BENCHMARK` reads as a file to write and no benchmark. */
function missing({ json }: Options): never {
  const taken = typeof json === 'string' ? `; "${json}" was taken as the file of --json: give --json last` : ''
  throw new UsageError(`missing required argument 'benchmark'${taken}`)
}

function unfinished(dropped: Dropped[], of: LocalMethod[]): string {
  const rows = plural(of.length, of.some(({ variant }) => variant !== undefined) ? 'setting' : 'method')
  const each = dropped.map((drop) => `${rowTitle(drop)} (seed ${drop.seed}): ${drop.error.message}`)
  return `${dropped.length} of ${rows} came to no result, and ${dropped.length === 1 ? 'is' : 'are'} left out above: ${each.join('; ')}`
}

function chosenMethods(benchmark: Benchmark, { method, param }: Options): LocalMethod[] {
  const asked = [...new Set(method)]
  const [only] = asked as [string]
  if (asked.length === 1 && only !== 'all') return gridOn(benchmark, only, spaceFrom(benchmark, only, param))
  if (param) {
    const given = asked.map((id) => `--method ${id}`).join(' ')
    throw new UsageError(`--param belongs to one method; with ${given}, leave it out`)
  }
  return (asked.includes('all') ? allOn(benchmark) : asked).map((id) => methodOn(benchmark, id, {}))
}

/** One row for each combination of values, where parameters have several. */
function gridOn(benchmark: Benchmark, id: string, space: Dimension[]): LocalMethod[] {
  const known = plannable(id, lookUp('method', methods, id))
  const settings = resolveSettings(benchmark, id, gridOf(space))
  if (settings.length === 1) return settings.map(({ params }) => ({ ...known, params }))
  note(
    `${plural(settings.length, 'row')}, one for each setting. The best of them on these seeds is chosen by these seeds: to tune, use \`palimpsest sweep\`.`,
  )
  return settings.map((setting) => ({
    ...known,
    params: setting.params,
    variant: variantOf({ label: '', space }, setting),
  }))
}

/** Every method that can be run on a benchmark as its presets and its own defaults have it; says which can't, and why. */
function allOn(benchmark: Benchmark): string[] {
  return [...methods].flatMap(([id, known]) => {
    if (!offersOn(known, benchmark)) return []
    const found = resolved(benchmark, id, {})
    if ('values' in found) return [id]
    note(`${known.title} is left out: ${found.refusal.message}.`)
    return []
  })
}
