/** What `palimpsest run` prints: a line for each run, then the scores, of a suite on average and for each class. */
import { open, rm, writeFile } from 'node:fs/promises'
import type { Benchmark } from '../../schema/benchmark.ts'
import type { Target } from '../../schema/catalogue/catalogue.ts'
import { picturedOf } from '../../schema/classes.ts'
import { clustersOf, seedingWords } from '../../schema/parts/seeding.ts'
import { type Dropped, type LocalMethod, type LocalRun, rowOf } from '../pipeline/local.ts'
import { type LocalSummary, summarise } from '../pipeline/summarise.ts'
import { closerToRetrain, decimalsOf, metricOf, REFERENCE, titleOf } from '../science/catalogue/catalogue.ts'
import { reasonOf } from '../store/write.ts'
import { duration, fixed } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { classSheet, classTable } from './classes.ts'
import { note, print, printJson, styled } from './output.ts'
import { pathsLines, pathsSheets } from './paths.ts'
import { type GapPlace, hasGaps, type Score, type Scores, scoresLegend, scoresSheet, scoresTable } from './scores.ts'
import { type Format, printSheets } from './sheet.ts'

/** As a table names it. */
export const rowTitle = ({ method, variant }: { method: string; variant?: string | undefined }): string =>
  variant === undefined ? titleOf(method) : `${titleOf(method)} ${variant}`

const metricTitle = (id: string) => metricOf(id)?.title ?? id

/** Such as `3 Dress`: what a benchmark of a suite forgets. */
function className({ dataset, request }: Benchmark): string {
  if (request.kind !== 'class') return ''
  return [request.label, picturedOf(dataset)?.classes[request.label] ?? ''].join(' ').trim()
}

/** As a table names it among runs of a suite. */
function runTitle(run: LocalRun, benchmarks: Benchmark[]): string {
  const benchmark = benchmarks.find(({ slug }) => slug === run.benchmark)!
  return `${rowTitle(run)}${benchmarks.length > 1 ? `, class ${className(benchmark)}` : ''}`
}

export function runLine(run: LocalRun, { benchmarks }: Target): string {
  const { method, seed, metrics: values, avgGap, seconds } = run
  const shown = Object.entries(values).map(([id, value]) => `${metricTitle(id)} ${fixed(value, decimalsOf(id))}`)
  const gap = method === REFERENCE || avgGap === null ? '' : `  gap ${fixed(avgGap)}`
  return `${styled('green', '✓')} ${runTitle(run, benchmarks)}, seed ${seed}  ${shown.join('  ')}${gap}  ${duration(seconds)}`
}

export const dropLine = (drop: Dropped): string =>
  `${styled('red', '✗')} ${rowTitle(drop)}, seed ${drop.seed}  ${drop.error.message}`

interface Ran {
  target: Target
  methods: LocalMethod[]
  seeds: number[]
  runs: LocalRun[]
  /** Methods that came to no result: the tables are without them. */
  dropped: Dropped[]
}

/** A file for values that cannot be written should not be found out after the last stage. */
export async function checkWritable(path: string, option = '--json'): Promise<void> {
  try {
    const file = await open(path, 'r+').catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      const made = await open(path, 'wx')
      await rm(path)
      return made
    })
    await file.close()
  } catch (error) {
    throw new UsageError(
      `${option} ${path}: cannot be written: ${reasonOf(error)}; name a file in a folder that can be written to`,
    )
  }
}

/** A file that an option names, which is said. */
export async function writeResult(option: string, file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content)
  } catch (error) {
    throw new Error(`${option} ${file}: cannot be written: ${reasonOf(error)}`)
  }
  note(`Wrote ${file}.`)
}

/** In a format to stdout, and as JSON into a file where one is named. */
export async function report(ran: Ran, { format, file }: { format: Format; file: string | undefined }): Promise<void> {
  const { target, seeds, runs: all } = ran
  const dropped = ran.dropped.map(({ error, ...where }) => ({ ...where, message: error.message }))
  const isDropped = (row: string) => dropped.some((drop) => rowOf(drop) === row)
  const runs = all.filter((run) => !isDropped(rowOf(run)))
  const { benchmarks } = target
  const [benchmark] = benchmarks as [Benchmark]
  const asked = ran.methods.map(({ id, variant }) => rowOf({ method: id, variant }))
  const rows = [...new Set([REFERENCE, ...asked])].filter((row) => !isDropped(row))
  const isSuite = benchmarks.length > 1
  const closer = closerToRetrain(benchmark)
  const clusterOf = clustersOf(benchmark)
  const summaries = rows.map((row) => summarise(row, runs, closer, clusterOf))
  const byClass = benchmarks.map(({ slug }) => {
    const own = runs.filter((run) => run.benchmark === slug)
    return rows.map((row) => summarise(row, own, closer, clusterOf))
  })
  const values = { methods: ran.methods, seeds, runs: all, summaries, ...(dropped.length > 0 && { dropped }) }
  const result = isSuite
    ? {
        suite: target.slug,
        benchmarks,
        ...values,
        byClass: Object.fromEntries(benchmarks.map(({ slug }, i) => [slug, byClass[i]!])),
      }
    : { benchmark, ...values }
  if (file !== undefined) {
    try {
      await writeFile(file, `${JSON.stringify(result, null, 2)}\n`)
    } catch (error) {
      throw new Error(`--json ${file}: cannot be written: ${reasonOf(error)}`)
    }
    note(`Wrote ${file}.`)
  }
  if (format === 'json') return printJson(result)
  const title = isSuite ? `${target.title}: average over the classes` : target.title
  const scores = scoresOf(summaries)
  const about = { seeds, clusters: seedingWords(benchmark) }
  const legend = legendOf(scores, summaries, about, format === 'table' ? 'below it' : 'beside it')
  const classes = benchmarks.map(className)
  const metrics = (isSuite ? idsIn(summaries) : []).map((id) => ({
    title: `${metricTitle(id)} of each class`,
    decimals: decimalsOf(id),
    columns: summaries.map((summary, at) => ({
      title: rowTitle(summary),
      cells: byClass.map((own) => own[at]!.metrics[id] ?? null),
      average: summary.metrics[id] ?? null,
    })),
  }))
  const named = runs.map((run) => ({ name: runTitle(run, benchmarks), run }))
  if (format !== 'table') {
    const byClass = metrics.map(({ title, decimals, columns }) => classSheet(title, classes, columns, decimals))
    return printSheets([scoresSheet(scores, { title, legend }), ...byClass, ...pathsSheets(named)], format)
  }
  print()
  print(title)
  for (const line of [...scoresTable(scores), ...legend]) print(line)
  for (const { title, decimals, columns } of metrics) {
    print()
    print(title)
    for (const line of classTable(classes, columns, decimals)) print(line)
  }
  for (const line of pathsLines(named)) print(line)
}

/** Retrain, which is the first, has no values of two models. */
const idsIn = (summaries: LocalSummary[]): string[] => [
  ...new Set(summaries.flatMap(({ metrics }) => Object.keys(metrics))),
]

function scoresOf(summaries: LocalSummary[]): Scores {
  const ids = idsIn(summaries)
  const scores = summaries.map(
    ({ method, variant, metrics, avgGap, gapOfMeans, seconds, fractionOfRetrain }): Score => ({
      name: rowTitle({ method, variant }),
      avgGap: method === REFERENCE ? null : avgGap,
      gapOfMeans,
      cells: ids.map((id) => metrics[id] ?? ''),
      seconds,
      fractionOfRetrain,
      n: seconds.n,
    }),
  )
  const columns = ids.map((id) => ({ title: metricTitle(id), decimals: decimalsOf(id) }))
  return { columns, references: scores.slice(0, 1), rows: scores.slice(1) }
}

function legendOf(
  scores: Scores,
  summaries: LocalSummary[],
  { seeds, clusters }: { seeds: number[]; clusters: string | null },
  place: GapPlace,
): string[] {
  const ids = idsIn(summaries)
  const units = [...new Set(ids.map((id) => metricOf(id)?.unit ?? ''))].filter(Boolean).join(', ')
  return [
    ...scoresLegend({
      units,
      compared: hasGaps(scores),
      place,
      beside: ids.filter((id) => metricOf(id)?.besideAvgGap).map(metricTitle),
      ofTwo: ids.flatMap((id) => metricOf(id) ?? []).filter(({ against }) => against),
    }),
    `${seeds.length === 1 ? 'Seed' : 'Seeds'} ${seeds.join(', ')}.`,
    ...(clusters === null ? [] : [clusters]),
  ]
}
