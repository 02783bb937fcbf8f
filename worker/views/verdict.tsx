/** What a ranking says in sentences, above its table. */
import { verdictOf } from '../../runner/science/verdict.ts'
import type { Ranking } from '../../schema/api/board.ts'

export const Verdict = ({ board }: { board: Ranking }) => {
  const [first, ...others] = verdictOf(board)
  if (first === undefined) return null
  return (
    <section class="verdict" aria-label="What the ranking says">
      <p>{first}</p>
      {others.length > 0 && (
        <ul>
          {others.map((sentence) => (
            <li>{sentence}</li>
          ))}
        </ul>
      )}
    </section>
  )
}
