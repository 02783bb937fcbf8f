/** How to read the ranking of a board, from what orders it and from its columns. */
import type { Ranking } from '../../schema/api/board.ts'
import { PROVISIONAL_BELOW } from './board-table.tsx'

const list = (words: string[]) => new Intl.ListFormat('en', { type: 'conjunction' }).format(words)

export const ReadingNote = ({ board: { columns, ordering } }: { board: Ranking }) => {
  const directed = columns.filter(({ better }) => better !== 'closer-to-retrain')
  const closeness = columns.filter(({ better }) => better === 'closer-to-retrain').map(({ title }) => title)
  const averaged = columns.filter(({ inAvgGap }) => inAvgGap).map(({ title }) => title)
  const ofTwo = columns.filter((column) => column.ofTwo).map(({ title, better }) => `${title} (${better} is better)`)
  return (
    <>
      {ordering.by === 'avg-gap' ? (
        <>
          A rank is a range: it starts at 1 + the number of rows that beat this one and ends at the number of rows minus
          those it beats. One row beats another when a paired t-test over their common seeds, insured against one bad
          seed more, separates them after Holm's correction over all pairs, at 5%; fewer than three common seeds
          separate nothing. Below n={PROVISIONAL_BELOW} a rank is provisional.
        </>
      ) : (
        <>
          {ordering.words} Means over seeds are compared and no test is made, so a place is no range of ranks. Retrain
          and original stand outside.
        </>
      )}{' '}
      A row counts the benchmark's own seeds and those that follow them without a gap, so that nobody chooses the best;
      with one of its own missing it stands below the others.
      {ordering.clusters !== undefined && ` ${ordering.clusters}`}
      {closeness.length > 0 &&
        ` ${list(closeness)} ${closeness.length === 1 ? 'has no better direction of its own' : 'have no better direction of their own'}: closer to retrain is better.`}
      {averaged.length > 0 &&
        averaged.length < closeness.length &&
        ` Avg. Gap is the mean over ${list(averaged)} alone.`}
      {ofTwo.length > 0 &&
        ` ${list(ofTwo)} ${ofTwo.length === 1 ? 'is' : 'are'} of a row and retrain of the same seed together: no gap to it, and retrain itself has none.`}
      {directed.length === columns.length &&
        ' The gap to retrain is for orientation: these metrics have a better direction of their own.'}
    </>
  )
}
