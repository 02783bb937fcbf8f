/** The board of a benchmark as a page. */
import { keepingOf } from '../../bindings/env.ts'
import { benchmarkOf, exampleOn, REFERENCE } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { getBoard } from '../../queries/boards/kept.ts'
import { commandFor } from '../../queries/runs/command.ts'
import { recipeWords, requestWords } from '../../views/benchmark-words.ts'
import { orderOf, sorted } from '../../views/board-sort.ts'
import { BoardTable, FORM } from '../../views/board-table.tsx'
import { TimeChart } from '../../views/charts/time-chart.tsx'
import { documentOf, LiveNote, Page, REFRESH_SECONDS } from '../../views/layout.tsx'
import { MetricLinks } from '../../views/metric-links.tsx'
import { plural, utc } from '../../views/numbers.ts'
import { ReadingNote } from '../../views/reading-note.tsx'
import { unfinished } from '../../views/state.tsx'
import { viewOf } from './parts/view-of.tsx'

export const boardPage: Route = (app) =>
  app.get('/boards/:slug', async (c) => {
    const benchmark = benchmarkOf(c.req.param('slug'))
    const board = await getBoard(keepingOf(c), benchmark)
    const order = orderOf(board, c.req.query('sort'))
    const live = c.req.query('live') !== '0'
    const path = `/boards/${benchmark.slug}`
    const api = `/api/v1/benchmarks/${benchmark.slug}/board`
    const all = [...board.references, ...board.rows]
    const open = all.some(({ runs }) => unfinished(runs))
    const { dataset, model, training, seeds, task } = benchmark
    const view = viewOf(task.id)
    return c.html(
      documentOf(
        <Page
          title={benchmark.title}
          description={benchmark.summary}
          section="/"
          crumbs={[{ href: '/', text: 'Boards' }]}
          refreshSeconds={open && live ? REFRESH_SECONDS : undefined}
          json={api}
        >
          <h1>{benchmark.title}</h1>
          <p class="lede">{benchmark.summary}</p>
          <dl class="facts">
            <dt>Benchmark</dt>
            <dd>
              <code>{benchmark.slug}</code>
            </dd>
            <dt>Data and model</dt>
            <dd>
              {dataset.id}, {model.id}; {requestWords(benchmark)}
              {training.holdOut > 0 && `, after ${training.holdOut * 100}% of each class is held out`}
            </dd>
            <dt>Training</dt>
            <dd>{recipeWords(benchmark)}</dd>
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
          <h2 id="ranking">Ranking</h2>
          {all.length === 0 ? (
            <p>
              Nobody has submitted to this board yet. A submission brings its retrain reference along;{' '}
              <a href="/docs#submit">how to submit</a>.
            </p>
          ) : (
            <>
              <form id={FORM} method="get" action={path}>
                {!live && <input type="hidden" name="live" value="0" />}
              </form>
              <BoardTable board={board} rows={sorted(board, order)} order={order} retrain={REFERENCE} />
              <p class="small muted">
                <ReadingNote board={board} /> <a href={`/docs#${task.id}`}>How everything is measured</a>.
              </p>
              <div class="charts">
                {view.below(board)}
                <TimeChart rows={board.rows} />
              </div>
            </>
          )}
          <h2 id="add">Add a row</h2>
          <p>
            Run a method on this benchmark on your own machine, here with its {plural(seeds.length, 'seed')}, or{' '}
            <a href="/docs#submit">submit it</a> to be run for everybody to see.
          </p>
          <pre>
            <code>{commandFor(benchmark, exampleOn(benchmark), {}, seeds)}</code>
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
