/** What a ranking says in sentences, above its table. */
import { verdictOf } from '../../runner/science/verdict.ts'
import type { Ranking } from '../../schema/api/board.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { clustersOf } from '../../schema/parts/seeding.ts'

export const Verdict = ({ board, benchmark }: { board: Ranking; benchmark: Benchmark }) => {
  const [first, ...others] = verdictOf(board, clustersOf(benchmark))
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
