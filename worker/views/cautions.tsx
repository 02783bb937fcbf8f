/** What must be known to read a board: too few images, and values that were not measured alike. */
import { labelled } from '../../runner/words/names.ts'
import type { BoardRow, Column, Ranking } from '../../schema/api/board.ts'
import { differenceFrom, isSmall } from '../queries/boards/identities.ts'

/** What sets the values of a cell apart from most of its column. */
const differencesOf = ({ identities }: BoardRow, { id, measured }: Column) => [
  ...new Set((identities[id] ?? []).flatMap((identity) => differenceFrom(measured[0] ?? identity, identity))),
]

/** Marks of a cell, each explained by `Cautions`. */
export function cautionsOf(row: BoardRow, column: Column): string[] {
  const identities = row.identities[column.id] ?? []
  return [
    ...(identities.length > 1 ? [`measured in ${identities.length} ways`] : []),
    ...(identities.length === 1 && differencesOf(row, column).length > 0 ? ['measured otherwise'] : []),
    ...(identities.some(isSmall) ? ['too few images'] : []),
  ]
}

export const Cautions = ({ board: { columns, references, rows } }: { board: Ranking }) => {
  const all = [...references, ...rows]
  const small = columns.filter(({ measured }) => measured.some(isSmall))
  const cells = columns.flatMap((column) =>
    all.map((row) => ({ column, row, differences: differencesOf(row, column) })),
  )
  const told = cells
    .filter(({ differences }) => differences.length > 0)
    .map(({ column, row, differences }) => ({
      mixed: (row.identities[column.id] ?? []).length > 1,
      words: `${column.title} of ${labelled(row)} (${differences.join('; ')})`,
    }))
  const mixed = told.filter((each) => each.mixed)
  const otherwise = told.filter((each) => !each.mixed)
  return (
    <>
      {small.length > 0 && (
        <p class="small">
          Too few images: {small.map(({ title }) => title).join(' and ')} {small.length === 1 ? 'has' : 'have'} no more
          images than the features have dimensions. A Fréchet distance is then biased upwards, and every such figure is
          comparable only at the same numbers of images.
        </p>
      )}
      {otherwise.length > 0 && (
        <p class="small">
          Not measured like the rest of their column: {otherwise.map(({ words }) => words).join(', ')}.
        </p>
      )}
      {mixed.length > 0 && (
        <p class="small">
          Without a mean, because their own values were not measured alike: {mixed.map(({ words }) => words).join(', ')}
          .
        </p>
      )}
    </>
  )
}
