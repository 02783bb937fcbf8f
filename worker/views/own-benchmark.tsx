/** What a page says of a benchmark that its server made itself. */
import type { Ownership } from '../../schema/api/benchmark.ts'
import { replacement } from '../http/own-benchmarks.ts'
import { utc } from './numbers.ts'

const BoardLink = ({ slug }: { slug: string }) => (
  <a href={`/boards/${slug}`}>
    <code>{slug}</code>
  </a>
)

/** Who made it, and of which it is a version. */
export const Origin = ({ own: { author, createdAt, replaces } }: { own: Ownership }) => (
  <>
    Made at this server by {author} on <time datetime={createdAt}>{utc(createdAt)}</time>
    {replaces && (
      <>
        , in the place of <BoardLink slug={replaces} />
      </>
    )}
  </>
)

/** Nothing for one that takes submissions. */
export const RetiredNote = ({ own }: { own: Ownership | null }) => {
  if (!own?.retired) return null
  const { retired, replacedBy } = own
  return (
    <div class="box">
      <p>
        <strong>Retired</strong> on <time datetime={retired.at}>{utc(retired.at)}</time>
        {retired.reason !== replacement(replacedBy) && `: ${retired.reason}`}. It takes no submissions any more; its
        results stay.
        {replacedBy && (
          <>
            {' '}
            Its next version is <BoardLink slug={replacedBy} />.
          </>
        )}
      </p>
    </div>
  )
}
