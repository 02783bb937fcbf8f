/** All boards that there are: those of suites, and of benchmarks that belong to none. */
import type { Ranking } from '../../../schema/api/board.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { suites, suiteWith } from '../../http/catalogue.ts'
import { boardOf } from './board.ts'
import type { Ground } from './groups.ts'
import { suiteBoardOf } from './suite-board.ts'

/** What leads to a board: of a benchmark, or of a suite with its classes folded. */
export interface Entry {
  href: string
  title: string
  board: Ranking
  /** The first of a suite's, which stands for all but its class. */
  benchmark: Benchmark
  classes: { href: string; name: string; runs: number }[]
}

export const runsIn = ({ references, rows }: Ranking) =>
  [...references, ...rows].reduce((sum, row) => sum + row.runs.length, 0)

/** Boards of suites and of benchmarks that belong to none; those with the most runs first. */
export function entriesOf(grounds: Ground[]): Entry[] {
  const bySlug = new Map(grounds.map((ground) => [ground.benchmark.slug, ground]))
  const ofSuites = [...suites.values()].map((suite): Entry => {
    const own = suite.benchmarks.map(({ slug }) => bySlug.get(slug)!)
    const board = suiteBoardOf(suite, own)
    const classes = board.suite.classes.map(({ name, benchmark }, i) => {
      const groups = [...own[i]!.groups.values()]
      return { href: `/boards/${benchmark}`, name, runs: groups.reduce((sum, { runs }) => sum + runs.length, 0) }
    })
    return { href: `/suites/${suite.slug}`, title: suite.title, board, benchmark: suite.benchmarks[0]!, classes }
  })
  const alone = grounds
    .filter(({ benchmark }) => !suiteWith(benchmark.slug))
    .map((ground): Entry => {
      const { benchmark } = ground
      const { slug, title } = benchmark
      return { href: `/boards/${slug}`, title, board: boardOf(ground), benchmark, classes: [] }
    })
  return [...ofSuites, ...alone].sort((a, b) => runsIn(b.board) - runsIn(a.board))
}
