/** A submission as a page: its runs and what was asked for. */
import { benchmarkOf, titleOf } from '../catalogue.ts'
import { commandFor } from '../command.ts'
import { getSubmission } from '../queries/submissions.ts'
import type { Route } from '../route.ts'
import { documentOf, LiveNote, Page, REFRESH_SECONDS } from '../views/layout.tsx'
import { utc } from '../views/numbers.ts'
import { Params } from '../views/params.tsx'
import { progressWords, StateWord, unfinished } from '../views/state.tsx'

export const submissionPage: Route = (app) =>
  app.get('/submissions/:id', async (c) => {
    const submission = await getSubmission(c.get('db'), c.req.param('id'))
    const benchmark = benchmarkOf(submission.benchmark)
    const { id, method, methodVersion, label, params, runs, author, createdAt } = submission
    const live = c.req.query('live') !== '0'
    const open = unfinished(runs)
    const title = `${titleOf(method)}${label && ` ${label}`} on ${benchmark.title}`
    return c.html(
      documentOf(
        <Page
          title={title}
          crumbs={[
            { href: '/', text: 'Boards' },
            { href: `/boards/${benchmark.slug}`, text: benchmark.title },
          ]}
          refreshSeconds={open && live ? REFRESH_SECONDS : undefined}
          json={`/api/v1/submissions/${id}`}
        >
          <h1>{title}</h1>
          <p class="lede">{progressWords(runs) ?? 'All seeds are done.'}</p>
          {open && <LiveNote live={live} path={`/submissions/${id}`} seconds={REFRESH_SECONDS} />}
          <h2>Runs</h2>
          <ul class="list">
            {runs.map(({ id: run, seed, state }) => (
              <li>
                <a href={`/runs/${run}`}>Seed {seed}</a>
                <StateWord state={state} />
              </li>
            ))}
          </ul>
          <h2>What was submitted</h2>
          <dl class="facts">
            <dt>Submission</dt>
            <dd>
              <code>{id}</code>, by {author} on <time datetime={createdAt}>{utc(createdAt)}</time>
            </dd>
            <dt>Method</dt>
            <dd>
              <a href={`/methods/${method}`}>{titleOf(method)}</a>, version {methodVersion}
            </dd>
            {Object.keys(params).length > 0 && (
              <>
                <dt>Parameters</dt>
                <dd>
                  <Params params={params} />
                </dd>
              </>
            )}
          </dl>
          <p>The same on your own machine:</p>
          <pre>
            <code>
              {commandFor(
                benchmark,
                method,
                params,
                runs.map(({ seed }) => seed),
              )}
            </code>
          </pre>
        </Page>,
      ),
    )
  })
