/** The rows of a board by how their parameters were chosen: links, where its rows differ in that. */
import type { Board } from '../../schema/api/board.ts'
import { type Ruleset, rulesets, rulesetWords } from '../../schema/api/rulesets.ts'
import { rulesetOf } from '../queries/boards/rules.ts'

interface RulesetsProps {
  /** With all its rows. */
  board: Board
  rules: Ruleset | undefined
  path: string
}

export const Rulesets = ({ board: { rows }, rules, path }: RulesetsProps) => {
  const counts = rulesets.map((ruleset) => [ruleset, rows.filter((row) => rulesetOf(row) === ruleset).length] as const)
  if (rules === undefined && counts.every(([, count]) => count === 0 || count === rows.length)) return null
  return (
    <nav class="rulesets small" aria-label="Rulesets">
      <a href={`${path}#ranking`} aria-current={rules === undefined ? 'true' : undefined}>
        All {rows.length} rows
      </a>
      {counts.map(([ruleset, count]) => (
        <>
          {' · '}
          <a
            href={`${path}?rules=${ruleset}#ranking`}
            aria-current={rules === ruleset ? 'true' : undefined}
            title={rulesetWords[ruleset]}
          >
            {ruleset} {count}
          </a>
        </>
      ))}
      {rules && <span class="muted"> {rulesetWords[rules]}; ranked among each other.</span>}
    </nav>
  )
}
