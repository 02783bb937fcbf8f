/** `palimpsest run`: a method on a benchmark on this machine, without a server. */
import { writeFile } from 'node:fs/promises'
import type { z } from 'zod'
import { type Benchmark, type ModelRef, taskOf } from '../../schema/benchmark.ts'
import { benchmarkFrom, collect, paramsFrom, resolveParams, seedsFrom, wholeNumber } from '../arguments.ts'
import { datasets, denoisers, generationMetrics, lookUp, methods, metrics, models, REFERENCE } from '../catalogue.ts'
import { type Command, dataOption, help, homeOption, threadsOption } from '../command.ts'
import { loadInceptionWeights } from '../files/inception.ts'
import { reasonOf } from '../files/write.ts'
import { CANONICAL_EXTRACTOR, generationMetricNamed } from '../generation-metric.ts'
import { dataPlaces, openHome } from '../home.ts'
import { onInterrupts } from '../interrupts.ts'
import { paramsFor } from '../method.ts'
import { inceptionV3 } from '../nn/extractors/inception-v3.ts'
import { dataLoader } from '../pipeline/data.ts'
import {
  type LocalMethod,
  type LocalRun,
  type LocalSummary,
  planLocal,
  runLocal,
  summarise,
} from '../pipeline/local.ts'
import { deviceOption, requireDevice } from '../probe/device-choice.ts'
import { openStore } from '../store/store.ts'
import { duration, fixed, plural } from '../terminal/numbers.ts'
import { note, print, printJson, styled } from '../terminal/output.ts'
import { showProgress } from '../terminal/progress.ts'
import { hasGaps, type Score, scoresLegend, scoresTable } from '../terminal/scores.ts'
import { stageLabel, totalWork, workOf } from '../terminal/stages.ts'
import { UsageError } from '../usage.ts'

interface Options {
  method: string
  param?: string[]
  seeds?: string
  json?: boolean | string
  data?: string[]
  home?: string
  threads: number
  device?: string
}

export const run: Command = (program) =>
  program
    .command('run')
    .description('run a method on a benchmark on this machine, without a server')
    .argument('<benchmark>', 'its slug, or the path of a JSON file that defines one')
    .requiredOption('--method <id>', 'a method of `palimpsest list methods`, or `all` with their defaults')
    .option('--param <name=value>', 'a parameter of the method (repeatable)', collect)
    .option('--seeds <list>', "such as 0,1,2 or 0-9 (default: the benchmark's own)")
    .option('--json [file]', 'all values as JSON to stdout, or into a file')
    .option(...dataOption, collect)
    .option(...homeOption)
    .option(...threadsOption, wholeNumber('threads', { min: 0, max: 1024 }), 0)
    .addOption(deviceOption())
    .addHelpText(
      'after',
      help(
        [
          'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --seeds 0,1,2',
          'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --param density=0.3 --json result.json',
          'palimpsest run my-benchmark.json --method ft --seeds 0',
        ],
        'Each seed is retrained too, since every score is compared with retrain. Ctrl-C stops; the same command goes on\nwith the first stage that is not finished.',
      ),
    )
    .action(execute)

async function execute(word: string, options: Options): Promise<void> {
  const benchmark = await benchmarkFrom(word)
  const chosen = chosenMethods(benchmark, options)
  const seeds = options.seeds === undefined ? benchmark.seeds : seedsFrom(options.seeds)
  checkBenchmark(benchmark)
  await requireDevice(options.device)
  const home = await openHome(options.home)
  const { signal, release } = onInterrupts(() => note('Stopping after this chunk; Ctrl-C again ends at once.'))
  const places = dataPlaces(home, options.data)
  const data = dataLoader(places)
  const pinned = await pinContent(benchmark, data, signal)
  await checkExtractor(pinned, places, signal)
  const plan = await planLocal(pinned, { reference: methodOf(pinned, REFERENCE, {}), methods: chosen, seeds })

  const started = performance.now()
  const view = showProgress({
    stages: { total: plan.stages.length, done: 0 },
    work: { total: totalWork(plan.stages), done: 0 },
  })
  let reusedStages = 0
  try {
    const context = {
      store: openStore(home),
      data,
      places,
      threads: options.threads,
      signal,
      onProgress: view.update,
      log: () => {},
    }
    const runs = await runLocal(plan, context, {
      onBegin: ({ spec, method }) => view.begin({ label: stageLabel(spec, method), work: workOf(spec) }),
      onEnd({ spec }, { reused }) {
        if (reused) reusedStages += 1
        view.end({ work: workOf(spec), reused })
      },
      onRun: (done) => view.line(runLine(done, pinned)),
    })
    view.stop()
    const seconds = (performance.now() - started) / 1000
    const reused = reusedStages > 0 ? ` (${reusedStages} reused)` : ''
    note(`Finished ${plural(plan.stages.length, 'stage')}${reused} in ${duration(seconds)}.`)
    const ids = [REFERENCE, ...chosen.map(({ id }) => id).filter((id) => id !== REFERENCE)]
    const summaries = ids.map((id) => summarise(id, runs))
    await report({ benchmark: pinned, methods: chosen, seeds, runs, summaries }, options.json)
  } finally {
    view.stop()
    release()
  }
}

function methodOf(benchmark: Benchmark, id: string, own: Record<string, unknown>): LocalMethod {
  const { version, trainsOn } = lookUp('method', methods, id)
  return { id, version, ...(trainsOn && { trainsOn }), params: resolveParams(benchmark, id, own) }
}

function chosenMethods(benchmark: Benchmark, { method, param }: Options): LocalMethod[] {
  if (method !== 'all') return [methodOf(benchmark, method, paramsFrom(benchmark, method, param))]
  if (param) throw new UsageError('--param belongs to one method; with --method all, leave it out')
  const offered = [...methods].filter(([, known]) => paramsFor(known, taskOf(benchmark)))
  return offered.map(([id]) => methodOf(benchmark, id, {}))
}

/** Everything that can be told before anything is loaded. */
function checkBenchmark({ slug, dataset, model, request, generation, metrics: identities }: Benchmark): void {
  lookUp('dataset', datasets, dataset.id)
  if (generation) {
    if (request.kind !== 'class')
      throw new UsageError(`${slug}: image generation forgets a class; its request is ${request.kind}`)
    checkParams('denoiser', model, lookUp('denoiser', denoisers, model.id).params)
    const { model: judge } = generation.judge
    checkParams('model', judge, lookUp('model', models, judge.id).params)
    for (const identity of identities) {
      if (generationMetricNamed(generationMetrics, identity)) continue
      const known = [...generationMetrics.values()].map(({ named }) => named).join(', ')
      throw new UsageError(`no metric of generated images is named ${identity}; known: ${known}`)
    }
    return
  }
  checkParams('model', model, lookUp('model', models, model.id).params)
  const known = new Map([...metrics.values()].map((metric) => [metric.identity, metric]))
  for (const identity of identities) lookUp('metric', known, identity)
}

function checkParams(kind: string, { id, params }: ModelRef, shape: z.ZodType): void {
  const { error } = shape.safeParse(params)
  if (!error) return
  const issues = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new UsageError(`${kind} ${id}: ${issues.join('; ')}`)
}

/** Weights that only the last stage needs are asked for first: a missing file should not be found out after days. */
async function checkExtractor(
  { generation, dataset }: Benchmark,
  places: ReturnType<typeof dataPlaces>,
  signal: AbortSignal,
): Promise<void> {
  if (generation?.extractor !== CANONICAL_EXTRACTOR) return
  note(`${dataset.id} is measured by Inception-v3: looking for its weights.`)
  await loadInceptionWeights(inceptionV3([3, 32, 32]), { ...places, signal })
}

/** Images of the user's own are named by path: their digest makes sure that stages of other content are not reused. */
async function pinContent(
  benchmark: Benchmark,
  data: ReturnType<typeof dataLoader>,
  signal: AbortSignal,
): Promise<Benchmark> {
  if (benchmark.dataset.path === undefined) return benchmark
  const { dataset } = await data(benchmark.dataset, { signal })
  return { ...benchmark, dataset: { ...benchmark.dataset, digest: dataset.digest } }
}

const metricOf = (id: string) => metrics.get(id) ?? generationMetrics.get(id)
const metricTitle = (id: string) => metricOf(id)?.title ?? id
const methodTitle = (id: string) => methods.get(id)?.title ?? id

function runLine({ method, seed, metrics: values, avgGap, seconds }: LocalRun, { generation }: Benchmark): string {
  const shown = Object.entries(values).map(([id, value]) => `${metricTitle(id)} ${fixed(value)}`)
  const gap = method === REFERENCE || generation ? '' : `  gap ${fixed(avgGap)}`
  return `${styled('green', '✓')} ${methodTitle(method)}, seed ${seed}  ${shown.join('  ')}${gap}  ${duration(seconds)}`
}

interface Report {
  benchmark: Benchmark
  methods: LocalMethod[]
  seeds: number[]
  runs: LocalRun[]
  summaries: LocalSummary[]
}

async function report(result: Report, json: boolean | string | undefined): Promise<void> {
  if (json === true) {
    printJson(result)
    return
  }
  if (typeof json === 'string') {
    try {
      await writeFile(json, `${JSON.stringify(result, null, 2)}\n`)
    } catch (error) {
      throw new Error(`--json ${json}: cannot be written: ${reasonOf(error)}`)
    }
    note(`Wrote ${json}.`)
  }
  const { benchmark, seeds, runs, summaries } = result
  const ids = Object.keys(runs[0]!.metrics)
  const scores = summaries.map(
    ({ method, metrics, avgGap, seconds, fractionOfRetrain }): Score => ({
      name: methodTitle(method),
      // Distances and shares have no common unit to be averaged in.
      avgGap: method === REFERENCE || benchmark.generation ? null : avgGap,
      cells: ids.map((id) => metrics[id]!),
      seconds,
      fractionOfRetrain,
      n: seeds.length,
    }),
  )
  print()
  print(benchmark.title)
  const columns = ids.map((id) => ({ title: metricTitle(id) }))
  const table = { columns, references: scores.slice(0, 1), rows: scores.slice(1) }
  for (const line of scoresTable(table)) print(line)
  const units = [...new Set(ids.map((id) => metricOf(id)?.unit ?? ''))].filter(Boolean).join(', ')
  for (const line of scoresLegend(units, hasGaps(table))) print(line)
  print(`${seeds.length === 1 ? 'Seed' : 'Seeds'} ${seeds.join(', ')}.`)
}
