/** A method as a page: what it does, its parameters, and how it fares on every board. */
import { taskNamed } from '../../../schema/task.ts'
import { keepingOf } from '../../bindings/env.ts'
import { exampleFor, REFERENCE, suites, targetOf } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { getMethodRows } from '../../queries/boards/kept.ts'
import { commandFor } from '../../queries/runs/command.ts'
import { describeMethod } from '../../queries/runs/methods.ts'
import { documentOf, Page } from '../../views/layout.tsx'
import { decimal, NOT_MEASURED, plural, plusMinus, rankRange, seconds, times } from '../../views/numbers.ts'
import { ParamsTable } from '../../views/params-table.tsx'
import { Prose } from '../../views/prose.tsx'
import { Scroll } from '../../views/scroll.tsx'
import { progressWords } from '../../views/state.tsx'

export const methodPage: Route = (app) =>
  app.get('/methods/:id', async (c) => {
    const method = describeMethod(c.req.param('id'))
    const boards = [...(await getMethodRows(keepingOf(c), method.id))]
    const results = boards
      // Boards with the most runs first.
      .map(([slug, rows]) => ({ slug, rows, runs: rows.reduce((sum, row) => sum + row.runs.length, 0) }))
      .sort((a, b) => b.runs - a.runs)
      .flatMap(({ slug, rows }) => {
        const { title, benchmarks } = targetOf(slug)
        const ofSuite = suites.has(slug)
        const href = `/${ofSuite ? 'suites' : 'boards'}/${slug}`
        const { ordering } = taskNamed(benchmarks[0]!.task.id)
        return rows.map((row) => ({ href, title, ordering, row, ofSuite }))
      })
    const first = exampleFor(method.id)
    const all = Object.entries(method.on).map(([task, params]) => ({
      id: `params-${task}`,
      words: `On ${taskNamed(task).title.toLowerCase()}`,
      params,
    }))
    // A method that is itself a training takes the same for every task.
    const forms = method.trainsOn ? all.slice(0, 1) : all
    return c.html(
      documentOf(
        <Page
          title={method.title}
          description={method.summary}
          section="/methods"
          crumbs={[{ href: '/methods', text: 'Methods' }]}
          json={`/api/v1/methods/${method.id}`}
        >
          <h1>{method.title}</h1>
          <p class="lede">
            <Prose text={method.summary} />
          </p>
          <dl class="facts">
            <dt>Id and version</dt>
            <dd>
              <code>{method.id}</code>, version {method.version}
            </dd>
            <dt>Paper</dt>
            <dd>
              {method.paper ? (
                <a href={method.paper.url}>{method.paper.title}</a>
              ) : (
                'none: it is a reference, not a proposal'
              )}
            </dd>
          </dl>
          <h2 id="results">Results</h2>
          {results.length === 0 ? (
            <p>
              No submission of {method.title} yet. <a href="/docs#submit">How to submit</a>
            </p>
          ) : (
            <Scroll labelledBy="results-caption">
              <table>
                <caption id="results-caption">
                  Mean ± standard deviation over seeds; smaller is better for Avg. Gap and RTE
                </caption>
                <thead>
                  <tr>
                    <th scope="col">Board</th>
                    <th scope="col">Rank</th>
                    <th scope="col" class="num">
                      Avg. Gap
                    </th>
                    <th scope="col" class="num">
                      RTE
                    </th>
                    <th scope="col">Seeds</th>
                  </tr>
                </thead>
                <tbody>
                  {results.map(({ href, title, ordering, row, ofSuite }) => (
                    <tr>
                      <th scope="row">
                        <a href={href}>{title}</a> {row.label}
                      </th>
                      <td>
                        {row.rank
                          ? rankRange(row.rank)
                          : row.standing
                            ? `place ${row.standing.place}`
                            : method.trainsOn
                              ? 'outside the ranking'
                              : 'not ranked yet'}
                      </td>
                      <td class="num">
                        {method.id === REFERENCE
                          ? 'the reference'
                          : ordering !== 'avg-gap'
                            ? 'none on this board'
                            : row.avgGap
                              ? `${decimal(row.avgGap.mean)} ${plusMinus(row.avgGap.sd)}`
                              : NOT_MEASURED}
                      </td>
                      <td class="num">
                        {seconds(row.seconds?.mean ?? null)}
                        {row.fractionOfRetrain &&
                          method.id !== REFERENCE &&
                          `, ${times(row.fractionOfRetrain.mean)} retrain`}
                      </td>
                      <td>
                        {ofSuite ? (
                          <a href={`/submissions/${row.submission}`}>{plural(row.runs.length, 'run')}</a>
                        ) : (
                          row.runs.map(({ id, seed }) => <a href={`/runs/${id}`}>{seed} </a>)
                        )}{' '}
                        {progressWords(row.runs, ofSuite ? 'runs' : 'seeds')}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )}
          <h2 id="parameters">Parameters</h2>
          {forms.map(({ id, words, params }) => (
            <>
              {forms.length > 1 && <h3>{words}</h3>}
              <ParamsTable title={method.title} params={params} id={id} {...(forms.length > 1 && { about: words })} />
            </>
          ))}
          {first && (
            <>
              <h2 id="run">Run it</h2>
              <pre>
                <code>{commandFor(first, method.id, {}, first.seeds)}</code>
              </pre>
            </>
          )}
        </Page>,
      ),
    )
  })
