/** The front page: what is measured, the boards, the queue, the newest results, and how to start. */
import type { Ranking } from '../../../schema/api/board.ts'
import { isoTime } from '../../bindings/database.ts'
import { benchmarks, isReference, titleOf } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { gapsBySeed } from '../../queries/boards/board.ts'
import { type Entry, entriesOf, runsIn } from '../../queries/boards/entries.ts'
import { groundsOf } from '../../queries/boards/groups.ts'
import { getQueue } from '../../queries/queue/queue.ts'
import { runnerCommand } from '../../queries/runs/command.ts'
import { newestResults } from '../../queries/runs/newest-results.ts'
import { documentOf, Page } from '../../views/layout.tsx'
import { count, decimal, plural, plusMinus, rankRange, utc } from '../../views/numbers.ts'

/** What D_f might have held; the page is written over it. Decoration, so it is drawn by the stylesheet. */
const GHOST = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ')

const Ghost = () => (
  <div class="ghost" aria-hidden="true">
    {Array.from({ length: 10 }, (_, line) => (
      <div data-line={GHOST.map((_, word) => GHOST[(word * 3 + line * 7) % GHOST.length]).join(' ')} />
    ))}
  </div>
)

/** Where places order a board, with the values that they are places of. */
const Places = ({ board: { rows, columns, ordering } }: { board: Ranking }) => {
  const leaders = rows.filter(({ standing }) => standing !== null).slice(0, 3)
  if (leaders.length === 0) return <p class="muted">No row was measured yet.</p>
  return (
    <ol class="standing">
      {leaders.map(({ standing, title, label, metrics }) => (
        <li>
          <span class="num">{standing?.place}</span>
          <span>
            {title} {label && <span class="muted">{label}</span>}
          </span>
          <span class="num">
            {columns
              .filter(({ id }) => ordering.columns.includes(id))
              .map((column) => `${column.title} ${decimal(metrics[column.id]?.mean)}`)
              .join(', ')}
          </span>
        </li>
      ))}
    </ol>
  )
}

const Standing = ({ board }: { board: Ranking }) => {
  if (board.ordering.by === 'worst-place') return <Places board={board} />
  const leaders = board.rows.filter(({ rank }) => rank !== null).slice(0, 3)
  if (leaders.length === 0) return <p class="muted">No ranked row yet.</p>
  return (
    <ol class="standing">
      {leaders.map(({ rank, title, label, avgGap }) => (
        <li>
          <span class="num">{rank && rankRange(rank)}</span>
          <span>
            {title} {label && <span class="muted">{label}</span>}
          </span>
          <span class="num">
            {decimal(avgGap?.mean)} <span class="muted">{avgGap && plusMinus(avgGap.sd)}</span>
          </span>
        </li>
      ))}
    </ol>
  )
}

const Card = ({ href, title, board, classes }: Entry) => {
  const { rows } = board
  const runs = runsIn(board)
  const methods = new Set(rows.map(({ method }) => method)).size
  return (
    <li class="card">
      <h3>
        <a href={href}>{title}</a>
      </h3>
      <p class="small muted">
        {plural(methods, 'method')}, {plural(runs, 'run')};{' '}
        {board.ordering.by === 'avg-gap'
          ? 'rank, method, Avg. Gap in points'
          : 'place, method and what it follows from'}
      </p>
      <Standing board={board} />
      {classes.length > 0 && (
        <details class="small">
          <summary>
            {plural(classes.length, 'class', 'classes')}
            <span class="visually-hidden"> of {title}</span>
          </summary>
          <ul class="classes">
            {classes.map(({ href, name, runs }) => (
              <li>
                <a href={href}>{name}</a> <span class="muted">{runs > 0 ? plural(runs, 'run') : 'no run yet'}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  )
}

export const homePage: Route = (app) =>
  app.get('/', async (c) => {
    const db = c.get('db')
    const [grounds, queue, newest] = await Promise.all([
      groundsOf(db, [...benchmarks.values()]),
      getQueue(db, null, Date.now()),
      newestResults(db, 8),
    ])
    const entries = entriesOf(grounds)
    const gaps = new Map(
      grounds.flatMap(({ columns, groups, retrained }) =>
        [...groups.values()].flatMap(({ submissions: [submission], runs, measured }) => {
          const bySeed = gapsBySeed(measured, retrained, columns)
          return isReference(submission!.method) ? [] : runs.map(({ id, seed }) => [id, bySeed.get(seed)] as const)
        }),
      ),
    )
    const origin = new URL(c.req.url).origin
    const [first] = entries
    return c.html(
      documentOf(
        <Page
          title="Palimpsest"
          description="An open benchmark for machine unlearning."
          section="/"
          json="/api/v1/benchmarks"
        >
          <div class="hero">
            <Ghost />
            <h1>What traces remain of data a model was told to forget?</h1>
            <p class="lede">
              Palimpsest runs machine-unlearning methods itself, on several seeds, and measures how far each result is
              from a model retrained without the forgotten data.
            </p>
            <p>
              <a href="/queue">
                {count(queue.counts.running)} running, {count(queue.counts.waiting)} waiting,{' '}
                {plural(queue.runners.length, 'runner')} seen
              </a>
            </p>
          </div>
          <h2 id="boards">Boards</h2>
          <ul class="cards">
            {entries.map((entry) => (
              <Card {...entry} />
            ))}
          </ul>
          <h2 id="newest">Newest results</h2>
          {newest.length === 0 ? (
            <p>No run has finished yet. The three ways to start below end in a first result.</p>
          ) : (
            <ul class="list">
              {newest.map(({ id, method, label, seed, benchmark, finishedAt }) => {
                const time = isoTime(finishedAt ?? 0)
                const gap = gaps.get(id)
                return (
                  <li>
                    <span>
                      <a href={`/runs/${id}`}>
                        {titleOf(method)}
                        {label && ` ${label}`}, seed {seed}
                      </a>{' '}
                      <span class="muted">{benchmarks.get(benchmark)?.title ?? benchmark}</span>
                    </span>
                    <span class="muted">
                      {gap !== undefined && `Avg. Gap ${decimal(gap)} · `}
                      <time datetime={time}>{utc(time)}</time>
                    </span>
                  </li>
                )
              })}
            </ul>
          )}
          <h2 id="start">Start</h2>
          <div class="starts">
            <div>
              <h3>Read a board</h3>
              <p>
                Every number has its seeds, its spread and a link to the run that made it, with logs and evidence.{' '}
                {first && <a href={first.href}>{first.title}</a>}
              </p>
            </div>
            <div>
              <h3>Submit a method</h3>
              <p>
                One request names benchmark, method and parameters. Stages that exist already are not computed again.{' '}
                <a href="/docs#submit">How to submit</a>
              </p>
            </div>
            <div>
              <h3>Run a runner</h3>
              <p>
                A runner asks for work over HTTPS; no port of yours is opened. <a href="/docs#runner">How to run one</a>
              </p>
              <pre>
                <code>{runnerCommand(origin)}</code>
              </pre>
            </div>
          </div>
        </Page>,
      ),
    )
  })
