/** A submission as a page: its runs and what was asked for. */

import type { WaitingRun } from '../../../schema/api/queue.ts'
import type { RunSummary } from '../../../schema/api/submission.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { viewerOf } from '../../access/people.ts'
import { suites, targetOf, titleOf } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { askedOf, commandFor } from '../../queries/runs/command.ts'
import { getSubmission } from '../../queries/submissions/submissions.ts'
import { WithdrawnNote } from '../../views/absences.tsx'
import { forgottenWords } from '../../views/benchmark-words.ts'
import { EstimateWords } from '../../views/estimate.tsx'
import { documentOf, LiveNote, Page, REFRESH_SECONDS } from '../../views/layout.tsx'
import { plural, utc } from '../../views/numbers.ts'
import { Params } from '../../views/params.tsx'
import { Scroll } from '../../views/scroll.tsx'
import { progressWords, StateWord, unfinished } from '../../views/state.tsx'
import { tuningWords } from '../../views/tuning.ts'

const stagesWords = ({ state, stages: { done, total } }: RunSummary) =>
  state === 'done' ? '' : `${done} of ${total} stages`

const Runs = ({ runs }: { runs: RunSummary[] }) => (
  <ul class="list">
    {runs.map((run) => (
      <li>
        <a href={`/runs/${run.id}`}>Seed {run.seed}</a>
        <span>
          <span class="small muted">{stagesWords(run)}</span> <StateWord state={run.state} />
        </span>
      </li>
    ))}
  </ul>
)

/** Most first, of a reason each: a suite may have hundreds. */
const WaitingList = ({ waiting }: { waiting: WaitingRun[] }) => {
  if (waiting.length === 0) return null
  return (
    <>
      <h2>Why it waits</h2>
      <ul class="list">
        {[...Map.groupBy(waiting, ({ words }) => words)].map(([words, runs]) => (
          <li>
            <span>
              {plural(runs.length, 'run')}: {words}.{' '}
              <span class="muted">
                Place {runs[0]!.position} in the <a href="/queue">queue</a>,{' '}
                {plural(runs[0]!.matchingRunners, 'matching runner')}
              </span>
            </span>
            <span>
              <EstimateWords estimate={runs[0]!.estimate} />
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

/** Classes down, seeds across. */
const ClassRuns = ({ parts, seeds }: { parts: { benchmark: Benchmark; own: RunSummary[] }[]; seeds: number[] }) => (
  <Scroll labelledBy="runs-caption">
    <table class="board by-class">
      <caption id="runs-caption">One run for each class and seed</caption>
      <thead>
        <tr>
          <th scope="col">Forgotten class</th>
          {seeds.map((seed) => (
            <th scope="col">Seed {seed}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {parts.map(({ benchmark, own }) => (
          <tr>
            <th scope="row">
              <a href={`/boards/${benchmark.slug}`}>{forgottenWords(benchmark)}</a>
            </th>
            {seeds.map((seed) => {
              const run = own.find((each) => each.seed === seed)
              return (
                <td>
                  {run && (
                    <>
                      <a href={`/runs/${run.id}`}>
                        <StateWord state={run.state} />
                        <span class="visually-hidden">
                          : class {forgottenWords(benchmark)}, seed {seed}
                        </span>
                      </a>
                      <div class="small muted">{stagesWords(run)}</div>
                    </>
                  )}
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

export const submissionPage: Route = (app) =>
  app.get('/submissions/:id', async (c) => {
    const submission = await getSubmission(c.get('db'), c.req.param('id'), await viewerOf(c), Date.now())
    const { id, method, methodVersion, label, params, runs, author, createdAt } = submission
    const target = targetOf(submission.benchmark)
    const [first] = target.benchmarks
    const isSuite = suites.has(target.slug)
    const live = c.req.query('live') !== '0'
    const origin = new URL(c.req.url).origin
    const open = unfinished(runs)
    const seeds = [...new Set(runs.map(({ seed }) => seed))]
    const title = `${titleOf(method)}${label && ` ${label}`} on ${target.title}`
    const parts = target.benchmarks
      .map((benchmark) => ({ benchmark, own: runs.filter((run) => run.benchmark === benchmark.slug) }))
      .filter(({ own }) => own.length > 0)
    return c.html(
      documentOf(
        <Page
          title={title}
          crumbs={[
            { href: '/', text: 'Boards' },
            { href: `/${isSuite ? 'suites' : 'boards'}/${target.slug}`, text: target.title },
          ]}
          refreshSeconds={open && live ? REFRESH_SECONDS : undefined}
          json={`/api/v1/submissions/${id}`}
        >
          <h1>{title}</h1>
          <WithdrawnNote withdrawn={submission.withdrawn} />
          <p class="lede">
            {progressWords(runs, isSuite ? 'runs' : 'seeds') ?? `All ${isSuite ? 'runs' : 'seeds'} are done.`}
          </p>
          {open && (
            <p>
              <progress
                max={runs.reduce((sum, { stages }) => sum + stages.total, 0)}
                value={runs.reduce((sum, { stages }) => sum + stages.done, 0)}
                aria-label="Stages done"
              />
            </p>
          )}
          {open && <LiveNote live={live} path={`/submissions/${id}`} seconds={REFRESH_SECONDS} />}
          <h2>Runs</h2>
          {isSuite ? <ClassRuns parts={parts} seeds={seeds} /> : <Runs runs={runs} />}
          <WaitingList waiting={submission.waiting} />
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
            {submission.tuning && (
              <>
                <dt>Tuning</dt>
                <dd>
                  {tuningWords(submission.tuning)}, as {author} says
                </dd>
              </>
            )}
          </dl>
          <p>The same on your own machine:</p>
          <pre>
            <code>{first && askedOf(origin, target.slug, commandFor(first, method, params, seeds, target.slug))}</code>
          </pre>
        </Page>,
      ),
    )
  })
