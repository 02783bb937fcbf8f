/** The front page: what is measured, the boards, the queue, the newest results, and how to start. */
import { isoTime } from '../../bindings/database.ts'
import { keepingOf } from '../../bindings/env.ts'
import { benchmarkNamed, describeSuite, suiteOf, suites, targetOf, titleOf } from '../../http/catalogue.ts'
import { ownBenchmarks } from '../../http/own-benchmarks.ts'
import type { Route } from '../../http/route.ts'
import { getSummaries, type KeptSummary } from '../../queries/boards/kept.ts'
import { newestFirst, type Summary } from '../../queries/boards/summaries.ts'
import { queueCounts } from '../../queries/queue/queue.ts'
import { runnerCommand } from '../../queries/runs/command.ts'
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
const Places = ({ board: { leaders, columns, ordering } }: { board: Summary }) => {
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

const Standing = ({ board }: { board: Summary }) => {
  if (board.ordering.by === 'worst-place') return <Places board={board} />
  const { leaders } = board
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

const isRetired = (slug: string): boolean => Boolean(ownBenchmarks().get(slug)?.own?.retired)

const hrefOf = (slug: string) => `/${suites.has(slug) ? 'suites' : 'boards'}/${slug}`

const Card = ({ slug, board }: { slug: string; board: KeptSummary }) => {
  const { title } = targetOf(slug)
  const classes = (suites.has(slug) ? describeSuite(suiteOf(slug)).classes : []).map(({ name, benchmark }) => ({
    href: `/boards/${benchmark}`,
    name,
    runs: board.classes[benchmark] ?? 0,
  }))
  return (
    <li class="card">
      <h3>
        <a href={hrefOf(slug)}>{title}</a>
        {isRetired(slug) && <span class="muted"> retired</span>}
      </h3>
      <p class="small muted">
        {plural(board.methods, 'method')}, {plural(board.runs, 'run')};{' '}
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
    const [boards, queue] = await Promise.all([getSummaries(keepingOf(c)), queueCounts(c.get('db'), Date.now())])
    // Boards with the most runs first, those that take no more last.
    const entries = [...boards].sort(
      ([one, a], [other, b]) => Number(isRetired(one)) - Number(isRetired(other)) || b.runs - a.runs,
    )
    const newest = newestFirst(entries.flatMap(([, board]) => board.newest))
    const origin = new URL(c.req.url).origin
    const first = entries[0]?.[0]
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
                {count(queue.running)} running, {count(queue.waiting)} waiting, {plural(queue.runners, 'runner')} seen
              </a>
            </p>
          </div>
          <h2 id="boards">Boards</h2>
          <ul class="cards">
            {entries.map(([slug, board]) => (
              <Card slug={slug} board={board} />
            ))}
          </ul>
          <h2 id="newest">Newest results</h2>
          {newest.length === 0 ? (
            <p>No run has finished yet. The three ways to start below end in a first result.</p>
          ) : (
            <ul class="list">
              {newest.map(({ run, method, label, seed, benchmark, finishedAt, avgGap }) => {
                const time = isoTime(finishedAt)
                return (
                  <li>
                    <span>
                      <a href={`/runs/${run}`}>
                        {titleOf(method)}
                        {label && ` ${label}`}, seed {seed}
                      </a>{' '}
                      <span class="muted">{benchmarkNamed(benchmark)?.title ?? benchmark}</span>
                    </span>
                    <span class="muted">
                      {avgGap !== null && `Avg. Gap ${decimal(avgGap)} · `}
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
                {first && <a href={hrefOf(first)}>{targetOf(first).title}</a>}
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
