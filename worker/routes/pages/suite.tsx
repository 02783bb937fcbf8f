/** The board of a suite as a page: the average over its classes, then each class. */
import type { SuiteRow } from '../../../schema/api/suite.ts'
import { keepingOf } from '../../bindings/env.ts'
import { exampleOn, REFERENCE, suiteOf } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { getSuiteBoard } from '../../queries/boards/kept.ts'
import { commandFor } from '../../queries/runs/command.ts'
import { modelWords, recipeWords } from '../../views/benchmark-words.ts'
import { orderOf, sorted } from '../../views/board-sort.ts'
import { BoardTable } from '../../views/board-table.tsx'
import { HeatChart } from '../../views/charts/heat-chart.tsx'
import { ClassTable } from '../../views/class-table.tsx'
import { documentOf } from '../../views/layout.tsx'
import { plural } from '../../views/numbers.ts'
import { progressWords } from '../../views/state.tsx'
import { BoardPage } from './parts/board-page.tsx'
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
    const live = c.req.query('live') !== '0'
    const path = `/suites/${suite.slug}`
    const complete = board.rows.filter(({ averaged }) => averaged.length === suite.benchmarks.length)
    const kept = { ...(c.req.query('sort') && { sort: c.req.query('sort')! }), ...(!live && { live: '0' }) }
    return c.html(
      documentOf(
        <BoardPage
          about={suite}
          benchmark={benchmark}
          board={board}
          path={path}
          api={`/api/v1/suites/${suite.slug}/board`}
          live={live}
          facts={[
            [
              'Suite',
              <>
                <code>{suite.slug}</code>, {plural(suite.benchmarks.length, 'benchmark')} that differ only in the class
                to be forgotten
              </>,
            ],
            ['Data and model', `${benchmark.dataset.id}, ${modelWords(benchmark.model)}`],
            ['Training', `${recipeWords(benchmark)}; one original of a seed serves all classes`],
          ]}
          ranking="Average over the classes"
          nobody="Nobody has submitted to this suite or to one of its classes yet. One submission covers all classes;"
          kept={{ metric: column.id }}
          adding={
            <>
              Run a method on all classes on your own machine, or <a href="/docs#submit">submit it</a> under the name of
              the suite to be run for everybody to see.
            </>
          }
          command={commandFor(benchmark, exampleOn(benchmark), {}, benchmark.seeds, suite.slug)}
        >
          <BoardTable
            board={board}
            rows={sorted(board, order)}
            order={order}
            retrain={REFERENCE}
            each="mean over the classes of a seed, then over seeds"
            about={(row) => <Coverage row={row} classes={suite.benchmarks.length} />}
          />
          <p class="small muted">
            {board.ordering.words} A row counts the seeds that were measured on the most classes; with classes missing
            its averages are over those that are there, and it has no rank.{' '}
            {board.ordering.by === 'avg-gap' &&
              "Avg. Gap is the mean of the classes' own Avg. Gaps, so gaps of two classes never cancel out. "}
            <a href="/docs#suites">More on suites</a>.
          </p>
          {viewOf(benchmark.task.id).below({ ...board, rows: complete })}
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
        </BoardPage>,
      ),
    )
  })
