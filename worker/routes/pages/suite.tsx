/** The board of a suite as a page: the average over its classes, then each class. */
import type { SuiteRow } from '../../../schema/api/suite.ts'
import { keepingOf } from '../../bindings/env.ts'
import { exampleOn, REFERENCE, suiteOf } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { getSuiteBoard } from '../../queries/boards/kept.ts'
import { commandFor } from '../../queries/runs/command.ts'
import { recipeWords } from '../../views/benchmark-words.ts'
import { orderOf, sorted } from '../../views/board-sort.ts'
import { BoardTable, FORM } from '../../views/board-table.tsx'
import { HeatChart } from '../../views/charts/heat-chart.tsx'
import { ClassTable } from '../../views/class-table.tsx'
import { documentOf, LiveNote, Page, REFRESH_SECONDS } from '../../views/layout.tsx'
import { MetricLinks } from '../../views/metric-links.tsx'
import { plural, utc } from '../../views/numbers.ts'
import { progressWords, unfinished } from '../../views/state.tsx'
import { viewOf } from './parts/view-of.tsx'

/** What a row's averages are over. */
const Coverage = ({ row, classes }: { row: SuiteRow; classes: number }) => {
  const missing = row.averaged.length < classes
  const seeds = [...new Set(row.runs.map(({ seed }) => seed))].sort((a, b) => a - b)
  const progress = progressWords(row.runs, 'runs')
  return (
    <>
      <span class={missing ? 'seeds warn' : 'seeds'}>
        {row.averaged.length} of {plural(classes, 'class', 'classes')}
        {missing && ', so not ranked'}
      </span>
      <div class="small muted">
        {seeds.length === 1 ? 'seed' : 'seeds'} {seeds.join(', ')}
      </div>
      {progress && <div class="small muted">{progress}</div>}
    </>
  )
}

export const suitePage: Route = (app) =>
  app.get('/suites/:slug', async (c) => {
    const suite = suiteOf(c.req.param('slug'))
    const [benchmark] = suite.benchmarks
    if (!benchmark) throw new Error(`${suite.slug} has no benchmarks`)
    const board = await getSuiteBoard(keepingOf(c), suite)
    const order = orderOf(board, c.req.query('sort'))
    const column = board.columns.find(({ id }) => id === c.req.query('metric')) ?? board.columns[0]!
    const view = viewOf(benchmark.task.id)
    const live = c.req.query('live') !== '0'
    const path = `/suites/${suite.slug}`
    const api = `/api/v1/suites/${suite.slug}/board`
    const all = [...board.references, ...board.rows]
    const complete = board.rows.filter(({ averaged }) => averaged.length === suite.benchmarks.length)
    const open = all.some(({ runs }) => unfinished(runs))
    const kept = { ...(c.req.query('sort') && { sort: c.req.query('sort')! }), ...(!live && { live: '0' }) }
    return c.html(
      documentOf(
        <Page
          title={suite.title}
          description={suite.summary}
          section="/"
          crumbs={[{ href: '/', text: 'Boards' }]}
          refreshSeconds={open && live ? REFRESH_SECONDS : undefined}
          json={api}
        >
          <h1>{suite.title}</h1>
          <p class="lede">{suite.summary}</p>
          <dl class="facts">
            <dt>Suite</dt>
            <dd>
              <code>{suite.slug}</code>, {plural(suite.benchmarks.length, 'benchmark')} that differ only in the class to
              be forgotten
            </dd>
            <dt>Data and model</dt>
            <dd>
              {benchmark.dataset.id}, {benchmark.model.id}
            </dd>
            <dt>Training</dt>
            <dd>{recipeWords(benchmark)}; one original of a seed serves all classes</dd>
            {view.facts(
              benchmark,
              board.columns.flatMap(({ measured }) => measured),
            )}
            <dt>Metrics</dt>
            <dd>
              <MetricLinks columns={board.columns} />
            </dd>
          </dl>
          {open && <LiveNote live={live} path={path} seconds={REFRESH_SECONDS} />}
          <h2 id="ranking">Average over the classes</h2>
          {all.length === 0 ? (
            <p>
              Nobody has submitted to this suite or to one of its classes yet. One submission covers all classes;{' '}
              <a href="/docs#submit">how to submit</a>.
            </p>
          ) : (
            <>
              <form id={FORM} method="get" action={path}>
                {!live && <input type="hidden" name="live" value="0" />}
                <input type="hidden" name="metric" value={column.id} />
              </form>
              <BoardTable
                board={board}
                rows={sorted(board, order)}
                order={order}
                retrain={REFERENCE}
                each="mean over the classes of a seed, then over seeds"
                about={(row) => <Coverage row={row} classes={suite.benchmarks.length} />}
              />
              <p class="small muted">
                {board.ordering.words} A row counts the seeds that were measured on the most classes; with classes
                missing its averages are over those that are there, and it has no rank.{' '}
                {board.ordering.by === 'avg-gap' &&
                  "Avg. Gap is the mean of the classes' own Avg. Gaps, so gaps of two classes never cancel out. "}
                <a href="/docs#suites">More on suites</a>.
              </p>
              {view.below({ ...board, rows: complete })}
              <h2 id="classes">Each class</h2>
              <nav aria-label="Metric" class="choice">
                <ul>
                  {board.columns.map(({ id, title }) => (
                    <li>
                      <a
                        href={`${path}?${new URLSearchParams({ ...kept, metric: id })}#classes`}
                        {...(id === column.id && { 'aria-current': 'true' })}
                      >
                        {title}
                      </a>
                    </li>
                  ))}
                </ul>
              </nav>
              <HeatChart board={board} column={column} />
              <ClassTable board={board} column={column} retrain={REFERENCE} />
            </>
          )}
          <h2 id="add">Add a row</h2>
          <p>
            Run a method on all classes on your own machine, or <a href="/docs#submit">submit it</a> under the name of
            the suite to be run for everybody to see.
          </p>
          <pre>
            <code>{commandFor(benchmark, exampleOn(benchmark), {}, benchmark.seeds, suite.slug)}</code>
          </pre>
          <h2 id="export">Export</h2>
          <p>
            This board as <a href={api}>JSON</a> or <a href={`${api}.csv`}>CSV</a>, as of{' '}
            <time datetime={board.generatedAt}>{utc(board.generatedAt)}</time>.
          </p>
        </Page>,
      ),
    )
  })
