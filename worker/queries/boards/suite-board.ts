/** The board of a suite: for each seed the mean over the classes, then mean and spread over seeds as on any board. */
import { mean } from '../../../runner/science/statistics.ts'
import type { Absence, Column } from '../../../schema/api/board.ts'
import type { SuiteBoard, SuiteRow } from '../../../schema/api/suite.ts'
import { clustersOf } from '../../../schema/parts/seeding.ts'
import type { Suite } from '../../../schema/suite.ts'
import { isoTime } from '../../bindings/database.ts'
import { describeSuite } from '../../http/catalogue.ts'
import { newestAbsences } from './absent.ts'
import { gapOfMeansOf, gapsBySeed, hasOwnSeeds, identitiesOf, inOrder, rowOf } from './board.ts'
import { frequent, type Ground, type Group, type Seeded } from './groups.ts'
import { orderingOf } from './ordering.ts'

/** `grounds` of the suite's benchmarks, in its order. */
export function suiteBoardOf(suite: Suite, grounds: Ground[]): SuiteBoard {
  const [{ benchmark, columns: first }] = grounds as [Ground]
  const columns = first.map((column) => ({
    ...column,
    measured: frequent(
      grounds.flatMap(({ groups }) =>
        [...groups.values()].flatMap(({ measured }) =>
          measured.flatMap(({ identities }) => identities[column.id] ?? []),
        ),
      ),
    ),
  }))
  const keys = new Set(grounds.flatMap(({ groups }) => [...groups.keys()]))
  const rows = [...keys].map((key) => suiteRowOf(key, grounds, columns))
  const ordering = orderingOf(benchmark, columns)
  const isComplete = (row: SuiteRow) => row.averaged.length === grounds.length && hasOwnSeeds(benchmark, row)
  return {
    suite: describeSuite(suite),
    columns,
    ordering,
    ...inOrder(rows, columns, ordering, { clusterOf: clustersOf(benchmark), isRanked: isComplete }),
    absent: newestAbsences(distinct(grounds.flatMap(({ absent }) => absent))),
    generatedAt: isoTime(Date.now()),
  }
}

/** A submission to a suite that was withdrawn is so on every class. */
const distinct = (all: Absence[]): Absence[] => [
  ...new Map(all.map((each) => [each.why.kind === 'withdrawn' ? each.submission : each.why.run, each])).values(),
]

/** One class of a row: what was measured with each seed, and what retrain measured. */
interface Part extends Pick<Ground, 'retrained'> {
  slug: string
  clusterOf: (seed: number) => number
  group: Group
  gaps: Map<number, number>
  gapOfMeans: number | null
}

function suiteRowOf(key: string, grounds: Ground[], columns: Column[]): SuiteRow {
  const parts = grounds.flatMap(({ benchmark, groups, retrained }): Part[] => {
    const group = groups.get(key)
    if (!group) return []
    const { slug } = benchmark
    const [clusterOf, gaps] = [clustersOf(benchmark), gapsBySeed(group.measured, retrained, columns)]
    const ofMeans = gapOfMeansOf({ ...group, retrained, clusterOf }, columns)
    return [{ slug, group, retrained, clusterOf, gaps, gapOfMeans: ofMeans }]
  })
  const { seeds, covered } = widest(parts)
  const measured = seeds.flatMap(
    (seed) =>
      averageOf(
        seed,
        covered.map(({ group }) => group.measured),
      ) ?? [],
  )
  const retrained = seeds.flatMap(
    (seed) =>
      averageOf(
        seed,
        covered.map((part) => [...part.retrained.values()]),
      ) ?? [],
  )
  const gaps = seeds.flatMap((seed): [number, number][] => {
    const found = covered.flatMap((part) => part.gaps.get(seed) ?? [])
    return found.length > 0 && found.length === covered.length ? [[seed, mean(found)]] : []
  })
  // Of the seeds that count, so that classes never cancel out.
  const ofMeans = covered.flatMap((part) => {
    const measured = part.group.measured.filter(({ seed }) => gaps.some(([other]) => other === seed))
    return gapOfMeansOf({ ...part, measured }, columns) ?? []
  })
  const submissions = [...new Map(parts.flatMap(({ group }) => group.submissions).map((row) => [row.id, row])).values()]
  const whole = {
    submissions: submissions.sort((a, b) => a.sequence - b.sequence),
    runs: parts.flatMap(({ group }) => group.runs),
    measured,
    uncounted: [...new Set(parts.flatMap(({ group }) => group.uncounted))].sort((a, b) => a - b),
    retrained: new Map(retrained.map((values) => [values.seed, values])),
    clusterOf: parts[0]!.clusterOf,
    gaps: new Map(gaps),
    gapOfMeans: ofMeans.length > 0 && ofMeans.length === covered.length ? mean(ofMeans) : null,
  }
  return {
    ...rowOf(whole, columns),
    identities: identitiesOf(
      covered.flatMap(({ group }) => group.measured),
      columns,
    ),
    averaged: covered.map(({ slug }) => slug),
    byClass: Object.fromEntries(
      parts
        .filter(({ group }) => group.measured.length > 0)
        .map((part) => {
          const { metrics, avgGap, gapOfMeans } = rowOf({ ...part.group, ...part }, columns)
          return [part.slug, { metrics, avgGap, gapOfMeans }]
        }),
    ),
  }
}

/** The largest set of classes that any seed was measured on, and all seeds measured on just these. */
function widest(parts: Part[]): { seeds: number[]; covered: Part[] } {
  const seeds = [...new Set(parts.flatMap(({ group }) => group.measured.map(({ seed }) => seed)))].sort((a, b) => a - b)
  const of = (seed: number) => parts.filter(({ group }) => group.measured.some((found) => found.seed === seed))
  const most = Math.max(0, ...seeds.map((seed) => of(seed).length))
  const covered = of(seeds.find((seed) => of(seed).length === most) ?? -1)
  const names = (some: Part[]) => some.map(({ slug }) => slug).join()
  return { seeds: seeds.filter((seed) => names(of(seed)) === names(covered)), covered }
}

/** What a seed measured on average over classes; null where a class has nothing. */
function averageOf(seed: number, classes: Seeded[][]): Seeded | null {
  const found = classes.flatMap((measured) => measured.find((values) => values.seed === seed) ?? [])
  if (found.length === 0 || found.length < classes.length) return null
  const [first] = found
  // Classes that were not measured alike have no mean.
  const ids = Object.keys(first!.identities).filter((id) =>
    found.every(({ identities }) => identities[id] === first!.identities[id]),
  )
  const masks = found.flatMap(({ mask }) => mask ?? [])
  return {
    seed,
    metrics: Object.fromEntries(ids.map((id) => [id, mean(found.map(({ metrics }) => metrics[id]!))])),
    identities: Object.fromEntries(ids.map((id) => [id, first!.identities[id]!])),
    seconds: mean(found.map(({ seconds }) => seconds)),
    mask: masks.length === found.length ? mean(masks) : null,
    deviceClass: [...new Set(found.map(({ deviceClass }) => deviceClass))].sort().join(', '),
    evidence: null,
    beside: [],
  }
}
