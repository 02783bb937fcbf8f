/** Boards under one ruleset: rows that were tuned by a stated budget on other seeds, or rows that have nothing to tune and count all
 *  that they do in their time. Neither is compared with the other, so ranks are made anew among those shown. */
import type { Board, BoardRow } from '../../../schema/api/board.ts'
import type { Ruleset } from '../../../schema/api/rulesets.ts'
import { clustersOf } from '../../../schema/parts/seeding.ts'
import { hasOwnSeeds, inOrder } from './board.ts'

/** Null where its author says nothing of tuning. */
export const rulesetOf = ({ tuning }: Pick<BoardRow, 'tuning'>): Ruleset | null =>
  tuning && (tuning.trials > 0 ? 'tuned' : 'self-tuning')

export function underRules(board: Board, rules: Ruleset | undefined): Board {
  if (rules === undefined) return board
  const { benchmark, columns, ordering, references } = board
  const rows = board.rows
    .filter((row) => rulesetOf(row) === rules)
    .map((row) => ({ ...row, rank: null, standing: null }))
  const clusterOf = clustersOf(benchmark)
  const isRanked = (row: BoardRow) => hasOwnSeeds(benchmark, row)
  return { ...board, references, rows: inOrder(rows, columns, ordering, { clusterOf, isRanked }).rows }
}
