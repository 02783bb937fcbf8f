/** The queue and the runners as a page. */
import type { QueueRunner, RunningStage, WaitingRun } from '../../../schema/api/queue.ts'
import { viewerOf } from '../../access/people.ts'
import { benchmarkNamed, titleOf } from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { getQueue } from '../../queries/queue/queue.ts'
import { RunnerTimeline } from '../../views/charts/runner-timeline.tsx'
import { EstimateWords, NO_ESTIMATE, quantileWords } from '../../views/estimate.tsx'
import { documentOf, LiveNote, Page, REFRESH_SECONDS } from '../../views/layout.tsx'
import { count, duration, gibibytes, plural, utc } from '../../views/numbers.ts'
import { Scroll } from '../../views/scroll.tsx'

type Named = Pick<RunningStage, 'run' | 'method' | 'label' | 'seed' | 'benchmark' | 'author'>

const RunLink = ({ of: { run, method, label, seed, benchmark, author } }: { of: Named }) => (
  <>
    <a href={`/runs/${run}`}>
      {titleOf(method)}
      {label && ` ${label}`}, seed {seed}
    </a>
    <div class="small muted">
      {benchmarkNamed(benchmark)?.title ?? benchmark}, by {author}
    </div>
  </>
)

const Running = ({ stages }: { stages: RunningStage[] }) => (
  <Scroll labelledBy="running-caption">
    <table>
      <caption id="running-caption">Stages on a runner now</caption>
      <thead>
        <tr>
          <th scope="col">For</th>
          <th scope="col">Stage</th>
          <th scope="col">On</th>
          <th scope="col">Ends in</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {stages.map((stage) => (
          <tr>
            <th scope="row">
              <RunLink of={stage} />
            </th>
            <td>
              {stage.kind}
              {stage.progress && (
                <div class="small muted">
                  {stage.progress.unit} {count(stage.progress.done)} of {count(stage.progress.total)}
                </div>
              )}
            </td>
            <td>{stage.runner}</td>
            <td>{stage.remaining ? quantileWords(stage.remaining) : <span class="muted">{NO_ESTIMATE}</span>}</td>
            <td>
              <time datetime={stage.since}>{utc(stage.since)}</time>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

const Waiting = ({ runs }: { runs: WaitingRun[] }) => (
  <Scroll labelledBy="waiting-caption">
    <table class="queue">
      <caption id="waiting-caption">In the order in which runs will be served</caption>
      <thead>
        <tr>
          <th scope="col">Place</th>
          <th scope="col">Run</th>
          <th scope="col">Why it waits</th>
          <th scope="col" class="num">
            Matching runners
          </th>
          <th scope="col">Estimate</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr>
            <td class="num">{run.position}</td>
            <th scope="row">
              <RunLink of={run} />
            </th>
            <td>
              {run.words}
              <div class="small muted">
                next: {run.kind}
                {run.priority !== 0 && `, priority ${run.priority}`}
              </div>
            </td>
            <td class="num">{run.matchingRunners}</td>
            <td>
              <EstimateWords estimate={run.estimate} />
            </td>
            <td>
              <time datetime={run.since}>{utc(run.since)}</time>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

/** What will not move by itself, said first. */
const Stuck = ({ waiting }: { waiting: WaitingRun[] }) => {
  const stuck = waiting.filter(({ reason }) => ['no_runner', 'no_matching_runner', 'paused'].includes(reason))
  if (stuck.length === 0) return null
  const byWords = Map.groupBy(stuck, ({ words }) => words)
  return (
    <div class="box">
      <h2>{plural(stuck.length, 'run')} can't begin</h2>
      <ul>
        {[...byWords].map(([words, runs]) => (
          <li>
            {plural(runs.length, 'run')}: {words}.
          </li>
        ))}
      </ul>
      <p>
        <a href="/docs#runner">How to run a runner</a>
      </p>
    </div>
  )
}

const Runners = ({ runners, now }: { runners: QueueRunner[]; now: number }) => (
  <Scroll labelledBy="runners-caption">
    <table>
      <caption id="runners-caption">As they last reported</caption>
      <thead>
        <tr>
          <th scope="col">Runner</th>
          <th scope="col">State</th>
          <th scope="col">Can do</th>
          <th scope="col">Last seen</th>
        </tr>
      </thead>
      <tbody>
        {runners.map((runner) => (
          <tr>
            <th scope="row">{runner.name}</th>
            <td>
              {stateWords(runner, now)}
              {runner.pauseReason && <div class="small muted">{runner.pauseReason}; an admin may resume it</div>}
            </td>
            <td>
              {runner.probe?.device.deviceClass ?? 'not known yet'}
              <div class="small muted">{abilities(runner)}</div>
            </td>
            <td>{runner.lastSeenAt ? <time datetime={runner.lastSeenAt}>{utc(runner.lastSeenAt)}</time> : 'never'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

function stateWords({ running, state, present, lastSeenAt }: QueueRunner, now: number): string {
  const silence = lastSeenAt && duration((now - Date.parse(lastSeenAt)) / 1000)
  if (!present) return silence ? `not heard from for ${silence}` : 'never asked for work'
  const work = running > 0 ? 'working' : 'idle'
  return state === 'active' ? work : `${state}, ${work}`
}

function abilities({ probe, labels }: QueueRunner): string {
  const gpus = probe?.gpus.map(({ name, memoryBytes }) => `${name} (${gibibytes(memoryBytes)})`) ?? []
  const own = probe
    ? [`${gibibytes(probe.memoryBytes)} of memory`, ...gpus, `onnxruntime ${probe.versions.onnxruntime}`]
    : []
  return [...own, ...labels.map((label) => `labelled ${label}`)].join(', ')
}

export const queuePage: Route = (app) =>
  app.get('/queue', async (c) => {
    const now = Date.now()
    const { running, waiting, counts, runners } = await getQueue(c.get('db'), await viewerOf(c), now)
    const live = c.req.query('live') !== '0'
    const open = counts.running + counts.waiting > 0
    return c.html(
      documentOf(
        <Page
          title="Queue"
          section="/queue"
          refreshSeconds={open && live ? REFRESH_SECONDS : undefined}
          json="/api/v1/queue"
        >
          <h1 style="margin-top:2rem">Queue</h1>
          <p class="lede">
            {plural(counts.running, 'stage')} running, {plural(counts.waiting, 'run')} waiting,{' '}
            {plural(runners.length, 'runner')} known. Of equal priority, authors with fewer stages running come first;
            then first seeds before second seeds of anything.
          </p>
          {open && <LiveNote live={live} path="/queue" seconds={REFRESH_SECONDS} />}
          <Stuck waiting={waiting} />
          <h2 id="running">Running</h2>
          <RunnerTimeline running={running} now={now} />
          {running.length > 0 ? <Running stages={running} /> : <p>Nothing is running.</p>}
          <h2 id="waiting">Waiting</h2>
          {waiting.length > 0 ? (
            <Waiting runs={waiting} />
          ) : (
            <p>
              Nothing waits. <a href="/docs#submit">Submit something</a>
            </p>
          )}
          {counts.waiting > waiting.length && <p>The first {count(waiting.length)} are shown.</p>}
          <h2 id="runners">Runners</h2>
          {runners.length > 0 ? (
            <Runners runners={runners} now={now} />
          ) : (
            <p>
              No runner has enrolled yet. <a href="/docs#runner">How to run one</a>
            </p>
          )}
        </Page>,
      ),
    )
  })
