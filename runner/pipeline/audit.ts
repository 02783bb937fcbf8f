/** An audit: many models of each method beside many retrained ones, on one forget set, and what population metrics find between them.
 *  The shadow pack is nothing but runs of original and retrain over many seeds, kept in the store like any others. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { randomStream } from '../engine/nn/random.ts'
import { scienceTasks } from '../science/catalogue/catalogue.ts'
import { type NullFloor, nullFloor, type PopulationMetric, tooFew } from '../science/population.ts'
import { METRIC_SEED, metricPurpose, shuffleOf } from '../science/stream.ts'
import type { Store } from '../store/store.ts'
import { UsageError } from '../words/usage.ts'
import { readEvidence } from './evidence.ts'
import { type Dropped, type LocalMethod, type LocalPlan, type LocalRun, planLocal, rowOf } from './local.ts'
import { splitsOf } from './splits.ts'
import { scienceTask } from './tasks.ts'

/** Random halves of the retrained models that a floor is drawn from. */
export const DRAWS = 20

export interface AuditSeeds {
  /** Of every row. */
  own: number[]
  /** Of the retrained models that rows are held against: others, since a model and its retrain of the same seed begin alike. */
  beside: number[]
}

export const auditSeeds = (models: number, from: number): AuditSeeds => {
  const seeds = Array.from({ length: 2 * models }, (_, index) => from + index)
  return { own: seeds.slice(0, models), beside: seeds.slice(models) }
}

/** Without metrics of single models, which nobody asked for. */
export async function planAudit(
  benchmark: Benchmark,
  { reference, methods, seeds }: { reference: LocalMethod; methods: LocalMethod[]; seeds: AuditSeeds },
): Promise<LocalPlan> {
  const bare = { ...benchmark, metrics: [] }
  const own = await planLocal([bare], { reference, methods, seeds: seeds.own })
  const beside = await planLocal([bare], { reference, methods: [], seeds: seeds.beside })
  return { ...own, runs: [...own.runs, ...beside.runs], stages: [...own.stages, ...beside.stages] }
}

/** How many images are forgotten. Throws UsageError where D_f or D_r is not the same for every seed: then no two models can be
 *  compared example by example. */
export async function checkOneForgetSet(
  benchmark: Benchmark,
  { own, beside }: AuditSeeds,
  where: Parameters<typeof splitsOf>[2],
): Promise<number> {
  const [first, ...others] = [...(await splitsOf(benchmark, [...own, ...beside], where))]
  for (const set of ['forget', 'retain'] as const) {
    const other = others.find(([, split]) => !sameItems(split[set], first![1][set]))
    if (!other) continue
    if (benchmark.training.holdOut > 0)
      throw new UsageError(
        `${benchmark.slug}: training.holdOut keeps other images out of D for seed ${first![0]} than for ${other[0]}, and an audit compares models on the same images; take a benchmark that holds nothing out`,
      )
    throw new UsageError(
      `${benchmark.slug}: D_f of seed ${first![0]} is another than that of ${other[0]}, and an audit compares models on the same forget set; give --forget-seed 0 to take for all what seed 0 draws, or --forget with a list`,
    )
  }
  return first![1].forget.length
}

const sameItems = (a: Int32Array, b: Int32Array) => a.length === b.length && a.every((item, at) => item === b[at])

/** What an audit looks at of each model, by row; of retrain also those beside the rows. */
export interface AuditPopulations {
  rows: Map<string, unknown[]>
  retrained: { own: unknown[]; beside: unknown[] }
}

/** Throws UsageError for a task that nothing of this kind is measured of. */
export function populationOf(benchmark: Benchmark) {
  const { population } = scienceTask(benchmark.task.id)
  if (population) return population
  const known = [...scienceTasks].flatMap(([id, { population }]) => (population ? id : []))
  throw new UsageError(
    `${benchmark.slug}: nothing is measured of many models of ${benchmark.task.id}; known for ${known.join(', ')}`,
  )
}

export async function readPopulations(
  benchmark: Benchmark,
  runs: LocalRun[],
  { reference, seeds, store, signal }: { reference: string; seeds: AuditSeeds; store: Store; signal: AbortSignal },
): Promise<AuditPopulations> {
  const { look } = populationOf(benchmark)
  const rows = new Map<string, unknown[]>()
  const retrained: AuditPopulations['retrained'] = { own: [], beside: [] }
  for (const run of runs) {
    signal.throwIfAborted()
    const { artifacts } = run.stages.at(-1)!.result
    const looked = look(await readEvidence(scienceTask(benchmark.task.id), artifacts, store))
    const row = rowOf(run)
    if (row === reference) retrained[seeds.beside.includes(run.seed) ? 'beside' : 'own'].push(looked)
    else rows.set(row, [...(rows.get(row) ?? []), looked])
  }
  return { rows, retrained }
}

export interface AuditedRow {
  row: string
  models: number
  values: Record<string, number> | null
  /** Why there is no number. */
  why: string | null
}

export interface Audited {
  id: string
  title: string
  named: string
  parts: PopulationMetric['parts']
  /** Between halves of the retrained models, as many a side as rows have. */
  floor: NullFloor | null
  rows: AuditedRow[]
}

/** Each metric of all rows: the retrained models of the rows' own seeds first, which are as good as exact unlearning gets. */
export function* auditOf(
  benchmark: Benchmark,
  { rows, retrained: { own, beside } }: AuditPopulations,
  { dropped, reference, draws = DRAWS }: { dropped: Dropped[]; reference: string; draws?: number },
): Generator<Audited> {
  const without = dropped.map((drop): [string, unknown[]] => [rowOf(drop), []])
  const all = new Map<string, unknown[]>([[reference, own], ...without, ...rows])
  const n = Math.min(own.length, beside.length)
  for (const [id, metric] of Object.entries(populationOf(benchmark).metrics)) {
    const whyNot = (row: string, models: number) => {
      const drop = dropped.find((one) => rowOf(one) === row)
      if (drop) return `came to no result with seed ${drop.seed}: ${drop.error.message}`
      return tooFew(metric, Math.min(models, beside.length))
    }
    const shuffle = shuffleOf(randomStream(METRIC_SEED, metricPurpose('audit')))
    const { title, named, parts } = metric
    yield {
      ...{ id, title, named, parts },
      floor: tooFew(metric, n) === null ? nullFloor(metric, [...own, ...beside], { n, draws, shuffle }) : null,
      rows: [...all].map(([row, unlearned]): AuditedRow => {
        const why = whyNot(row, unlearned.length)
        const values = why === null ? metric.compute({ unlearned, retrained: beside }) : null
        return { row, models: unlearned.length, values, why }
      }),
    }
  }
}
