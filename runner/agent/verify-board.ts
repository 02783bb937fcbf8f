/** A board computed again from what was signed: the spreads, gaps, times and ranks of every row. */
import type { Board, BoardRow } from '../../schema/api/board.ts'
import { clustersOf } from '../../schema/parts/seeding.ts'
import { closerToRetrain } from '../science/catalogue/catalogue.ts'
import { countedSeeds, gapOfMeans } from '../science/comparison.ts'
import { apartOver, rankRanges, spreadOver } from '../science/statistics.ts'
import { avgGap, compared, fraction, numbersOf, plain, type Recompute, type Recomputed } from './recompute.ts'
import type { Check } from './verify.ts'

export interface CheckedRow {
  row: string
  runs: { id: string; seed: number; stages: Recomputed['stages']; numbers: Check[] }[]
  checks: Check[]
}

export async function verifyBoard(
  { benchmark, references, rows }: Board,
  recompute: Recompute,
  onRow: (row: CheckedRow) => void = () => {},
): Promise<CheckedRow[]> {
  const clusterOf = clustersOf(benchmark)
  const retrained = new Map<number, Recomputed>()
  for (const { runs } of references.filter(({ method }) => method === 'retrain')) {
    for (const { id, seed, state } of runs) if (state === 'done') retrained.set(seed, await recompute(id))
  }
  const checked: CheckedRow[] = []
  const gaps = new Map<string, Map<number, number>>()
  for (const row of [...references, ...rows]) {
    const done = row.runs.filter(({ state }) => state === 'done')
    const counted = countedSeeds(benchmark.seeds, done)
    const own: Recomputed[] = []
    for (const { id, seed } of done) if (counted.has(seed)) own.push(await recompute(id))
    const bySeed = new Map(
      own.flatMap((each): [number, number][] => {
        const gap = avgGap(each, retrained.get(each.run.seed) ?? null)
        return gap === null ? [] : [[each.run.seed, gap]]
      }),
    )
    if (rows.includes(row) && bySeed.size > 0 && counted.size >= benchmark.seeds.length)
      gaps.set(row.submission, bySeed)
    const runs = await Promise.all(
      own.map(async (each) => ({
        ...{ id: each.run.id, seed: each.run.seed, stages: each.stages },
        numbers: await numbersOf(each, recompute),
      })),
    )
    const found = { row: titleOf(row), runs, checks: [...rowChecks(row, own, { retrained, bySeed, clusterOf })] }
    checked.push(found)
  }
  const ranges = rankRanges(
    [...gaps].map(([id, bySeed]) => ({ id, bySeed })),
    { clusterOf },
  )
  for (const [at, row] of [...references, ...rows].entries()) {
    if (row.rank) {
      const actual = ranges.get(row.submission)
      checked[at]!.checks.push(compared('best rank', row.rank.low, actual?.low))
      checked[at]!.checks.push(compared('worst rank', row.rank.high, actual?.high))
    }
    onRow(checked[at]!)
  }
  return checked
}

const titleOf = ({ title, label }: BoardRow): string => (label ? `${title}, ${label}` : title)

interface Ground {
  retrained: ReadonlyMap<number, Recomputed>
  /** Avg. Gap of each seed. */
  bySeed: ReadonlyMap<number, number>
  clusterOf: (seed: number) => number
}

function* rowChecks(row: BoardRow, own: Recomputed[], { retrained, bySeed, clusterOf }: Ground): Generator<Check> {
  const over = (value: (each: Recomputed) => number | null | undefined): Spread =>
    spreadOver(own, ({ run }) => clusterOf(run.seed), value)
  for (const [id, shown] of Object.entries(row.metrics)) {
    const measured = (each: Recomputed | undefined) => each?.values[id]?.value
    yield* spreadChecks(id, shown, over(measured))
    const gapOf = (each: Recomputed) => {
      const [value, retrain] = [measured(each), measured(retrained.get(each.run.seed))]
      return value === undefined || retrain === undefined ? null : value - retrain
    }
    yield compared(`${id} gap`, shown.gap, over(gapOf)?.mean ?? null)
    yield compared(
      `${id} gapP`,
      shown.gapP,
      apartOver(own, ({ run }) => clusterOf(run.seed), gapOf),
    )
  }
  const gapOf = ({ run }: Recomputed) => bySeed.get(run.seed)
  yield* spreadChecks('Avg. Gap', row.avgGap, over(gapOf))
  const sides = own.map(({ run, values }) => {
    const retrain = retrained.get(run.seed)
    return {
      values: plain(values),
      retrain: retrain && plain(retrain.values),
      cluster: clusterOf(run.seed),
    }
  })
  yield compared('gap of means', row.gapOfMeans, gapOfMeans(sides, own[0] ? closerToRetrain(own[0].run.benchmark) : []))
  for (const [seed, gap] of Object.entries(row.gapBySeed)) {
    yield compared(`Avg. Gap of seed ${seed}`, gap, bySeed.get(Number(seed)))
  }
  yield* spreadChecks(
    'seconds',
    row.seconds,
    over(({ seconds }) => seconds),
  )
  yield* spreadChecks(
    'mask',
    row.mask,
    over(({ mask }) => mask),
  )
  const fractions = over((each) => fraction(each, retrained.get(each.run.seed) ?? null))
  yield* spreadChecks('fraction of retrain', row.fractionOfRetrain, fractions)
}

type Spread = BoardRow['avgGap']

function* spreadChecks(part: string, shown: Spread, actual: Spread): Generator<Check> {
  yield compared(part, shown?.mean, actual?.mean)
  yield compared(`${part} sd`, shown?.sd, actual?.sd)
  yield compared(`${part} n`, shown?.n, actual?.n)
  if (shown?.runs !== undefined || actual?.runs !== undefined) yield compared(`${part} runs`, shown?.runs, actual?.runs)
}
