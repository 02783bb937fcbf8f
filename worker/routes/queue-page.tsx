/** The queue and the runners as a page. */
import type { QueueJob } from '../../schema/api/queue.ts'
import { benchmarks, titleOf } from '../catalogue.ts'
import { getQueue } from '../queries/queue.ts'
import type { Route } from '../route.ts'
import { documentOf, LiveNote, Page, REFRESH_SECONDS } from '../views/layout.tsx'
import { count, duration, plural, utc } from '../views/numbers.ts'
import { Scroll } from '../views/scroll.tsx'

/** A runner that was silent for longer is not working; leases run out after 90 s. */
const SILENT_SECONDS = 95

const Jobs = ({ jobs, id, caption }: { jobs: QueueJob[]; id: string; caption: string }) => (
  <Scroll labelledBy={id}>
    <table>
      <caption id={id}>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">For</th>
          <th scope="col">Board</th>
          <th scope="col">State</th>
          <th scope="col">Since</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map(({ kind, run, method, seed, benchmark, runner, progress, blocked, since }) => (
          <tr>
            <th scope="row">{kind}</th>
            <td>
              <a href={`/runs/${run}`}>
                {titleOf(method)}, seed {seed}
              </a>
            </td>
            <td>{benchmarks.get(benchmark)?.title ?? benchmark}</td>
            <td>
              {runner
                ? `on ${runner}${progress ? `, ${progress.unit} ${count(progress.done)} of ${count(progress.total)}` : ''}`
                : blocked
                  ? 'waits for an earlier stage'
                  : 'waits for a runner'}
            </td>
            <td>
              <time datetime={since}>{utc(since)}</time>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

export const queuePage: Route = (app) =>
  app.get('/queue', async (c) => {
    const queue = await getQueue(c.get('db'))
    const { running, waiting, counts, runners } = queue
    const live = c.req.query('live') !== '0'
    const open = counts.running + counts.waiting > 0
    const now = Date.now()
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
            {count(counts.running)} running, {count(counts.waiting)} waiting, {plural(runners.length, 'runner')} seen.
            First seeds of everything come before second seeds of anything.
          </p>
          {open && <LiveNote live={live} path="/queue" seconds={REFRESH_SECONDS} />}
          <h2 id="running">Running</h2>
          {running.length > 0 ? (
            <Jobs jobs={running} id="running-caption" caption="Stages on a runner now" />
          ) : (
            <p>Nothing is running.</p>
          )}
          <h2 id="waiting">Waiting</h2>
          {waiting.length > 0 ? (
            <Jobs jobs={waiting} id="waiting-caption" caption="In the order in which they will be handed out" />
          ) : (
            <p>
              Nothing waits. <a href="/docs#submit">Submit something</a>
            </p>
          )}
          <h2 id="runners">Runners</h2>
          {runners.length === 0 ? (
            <p>
              No runner was seen yet. <a href="/docs#runner">How to run one</a>
            </p>
          ) : (
            <Scroll labelledBy="runners-caption">
              <table>
                <caption id="runners-caption">As they last reported</caption>
                <thead>
                  <tr>
                    <th scope="col">Runner</th>
                    <th scope="col">Device class</th>
                    <th scope="col">State</th>
                    <th scope="col">Last seen</th>
                  </tr>
                </thead>
                <tbody>
                  {runners.map(({ name, device, lastSeenAt, running: jobs }) => {
                    const silent = (now - Date.parse(lastSeenAt)) / 1000
                    return (
                      <tr>
                        <th scope="row">{name}</th>
                        <td>{device.deviceClass}</td>
                        <td>
                          {jobs > 0
                            ? 'working'
                            : silent < SILENT_SECONDS
                              ? 'idle'
                              : `not heard from for ${duration(silent)}`}
                        </td>
                        <td>
                          <time datetime={lastSeenAt}>{utc(lastSeenAt)}</time>
                        </td>
                      </tr>
                    )
                  })}
                </tbody>
              </table>
            </Scroll>
          )}
        </Page>,
      ),
    )
  })
