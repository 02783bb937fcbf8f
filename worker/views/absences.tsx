/** What left a board, and what of a row doesn't count: said where people look for it. */
import type { Absence, BoardRow } from '../../schema/api/board.ts'
import type { Withdrawal } from '../../schema/api/submission.ts'
import { plural, utc } from './numbers.ts'

/** Rows that were withdrawn and results that were set aside; nothing where there are none. */
export const Absences = ({ absent }: { absent: Absence[] }) => {
  if (absent.length === 0) return null
  return (
    <>
      <h2 id="absent">No longer counted</h2>
      <ul class="list">
        {absent.map(({ submission, title, author, at, why, reason }) => (
          <li>
            <span>
              <a href={`/submissions/${submission}`}>{title}</a> by {author}
              {why.kind === 'set-aside' && (
                <>
                  , <a href={`/runs/${why.run}`}>seed {why.seed}</a>
                </>
              )}
              :{' '}
              {why.kind === 'withdrawn'
                ? `withdrawn by ${why.by === 'author' ? 'its author' : 'an admin'}`
                : `the result of ${why.runner} was set aside and is computed anew`}
              . <span class="muted">Reason: {reason}</span>
            </span>
            <time class="small muted" datetime={at}>
              {utc(at)}
            </time>
          </li>
        ))}
      </ul>
    </>
  )
}

/** Seeds that don't count and trials in private; nothing where there are neither. */
export const Uncounted = ({ row: { uncounted, privateTrials } }: { row: BoardRow }) => (
  <>
    {uncounted.length > 0 && (
      <div class="small muted">
        {uncounted.length === 1 ? 'seed' : 'seeds'} {uncounted.join(', ')} not counted
      </div>
    )}
    {privateTrials > 0 && <div class="small muted">{plural(privateTrials, 'private trial')}</div>}
  </>
)

export const WithdrawnNote = ({ withdrawn }: { withdrawn: Withdrawal | null }) =>
  withdrawn && (
    <section class="box">
      <h2>Withdrawn</h2>
      <p>
        {withdrawn.by === 'author' ? 'Its author' : 'An admin'} took it off the boards on{' '}
        <time datetime={withdrawn.at}>{utc(withdrawn.at)}</time>. Reason: {withdrawn.reason}
      </p>
    </section>
  )
