/** The board of a benchmark as a page. */
import type { Child } from 'hono/jsx'
import { definitionIn } from '../../../schema/api/benchmark.ts'
import { underRuleset } from '../../../schema/api/rulesets.ts'
import { keepingOf } from '../../bindings/env.ts'
import { exampleOn, REFERENCE, viewOf as viewOfBenchmark } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { getBoard } from '../../queries/boards/kept.ts'
import { underRules } from '../../queries/boards/rules.ts'
import { askedOf, commandFor } from '../../queries/runs/command.ts'
import { aimWords, datasetWords, modelWords, recipeWords, requestWords } from '../../views/benchmark-words.ts'
import { orderOf, sorted } from '../../views/board-sort.ts'
import { BoardTable } from '../../views/board-table.tsx'
import { TimeChart } from '../../views/charts/time-chart.tsx'
import { documentOf } from '../../views/layout.tsx'
import { plural } from '../../views/numbers.ts'
import { Origin, RetiredNote } from '../../views/own-benchmark.tsx'
import { ReadingNote } from '../../views/reading-note.tsx'
import { Rulesets } from '../../views/rulesets.tsx'
import { BoardPage } from './parts/board-page.tsx'
import { viewOf } from './parts/view-of.tsx'

export const boardPage: Route = (app) =>
  app.get('/boards/:slug', async (c) => {
    const view = viewOfBenchmark(c.req.param('slug'))
    const [benchmark, { own }] = [definitionIn(view), view]
    const origin = new URL(c.req.url).origin
    const all = await getBoard(keepingOf(c), benchmark)
    const { rules } = underRuleset.catch({}).parse({ rules: c.req.query('rules') })
    const board = underRules(all, rules)
    const order = orderOf(board, c.req.query('sort'))
    const { slug, dataset, model, training, seeds, task } = benchmark
    return c.html(
      documentOf(
        <BoardPage
          about={benchmark}
          benchmark={benchmark}
          board={board}
          path={`/boards/${slug}`}
          api={`/api/v1/benchmarks/${slug}/board`}
          live={c.req.query('live') !== '0'}
          facts={[
            ['Benchmark', <code>{slug}</code>],
            ...(own ? [['Origin', <Origin own={own} />] as [string, Child]] : []),
            [
              'Data and model',
              <>
                {datasetWords(dataset)}, {modelWords(model)}; {requestWords(benchmark)}
                {training.holdOut > 0 && `, after ${training.holdOut * 100}% of each class is held out`}
              </>,
            ],
            ['Aim', aimWords(benchmark)],
            ['Training', recipeWords(benchmark)],
          ]}
          ranking="Ranking"
          nobody="Nobody has submitted to this board yet. A submission brings its retrain reference along;"
          adding={
            <>
              Run a method on this benchmark on your own machine, here with its {plural(seeds.length, 'seed')}, or{' '}
              <a href="/docs#submit">submit it</a> to be run for everybody to see.
            </>
          }
          notice={<RetiredNote own={own} />}
          closed={Boolean(own?.retired)}
          {...(rules && { kept: { rules } })}
          command={askedOf(origin, slug, commandFor(benchmark, exampleOn(benchmark), {}, seeds))}
        >
          <Rulesets board={all} rules={rules} path={`/boards/${slug}`} />
          <BoardTable board={board} rows={sorted(board, order)} order={order} retrain={REFERENCE} />
          <p class="small muted">
            <ReadingNote board={board} /> <a href={`/docs#${task.id}`}>How everything is measured</a>.
          </p>
          <div class="charts">
            {viewOf(task.id).below(board)}
            <TimeChart rows={board.rows} />
          </div>
        </BoardPage>,
      ),
    )
  })
