/** What a ranking says in sentences, above its table. */
import { verdictOf } from '../../runner/science/verdict.ts'
import type { Ranking } from '../../schema/api/board.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { clustersOf } from '../../schema/parts/seeding.ts'

export const Verdict = ({ board, benchmark }: { board: Ranking; benchmark: Benchmark }) => {
  const { lead, more } = verdictOf(board, clustersOf(benchmark))
  const [first, ...others] = lead
  if (first === undefined) return null
  return (
    <section class="verdict" aria-label="What the ranking says">
      <p>{first}</p>
      <Sentences all={others} />
      {more.length > 0 && (
        <details>
          <summary>Other masks, and what Avg. Gap does not see</summary>
          <Sentences all={more} />
        </details>
      )}
    </section>
  )
}

const Sentences = ({ all }: { all: string[] }) =>
  all.length === 0 ? null : (
    <ul>
      {all.map((sentence) => (
        <li>{sentence}</li>
      ))}
    </ul>
  )
