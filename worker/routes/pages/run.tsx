/** A run as a page: state, stages, result against retrain, times, logs, evidence, and the command that repeats it. */

import { viewerOf } from '../../access/people.ts'
import type { Route } from '../../http/route.ts'
import { logSizes, readTail } from '../../queries/logs/read-log.ts'
import { askedOf } from '../../queries/runs/command.ts'
import { curvesOf } from '../../queries/runs/curves.ts'
import { listManifests } from '../../queries/runs/manifests.ts'
import { masksOf } from '../../queries/runs/masks.ts'
import { pathOf, type ShownPath } from '../../queries/runs/paths.ts'
import { getRun } from '../../queries/runs/runs.ts'
import { pictureSize } from '../../queries/runs/samples.ts'
import { WithdrawnNote } from '../../views/absences.tsx'
import { datasetWords, modelWords, recipeWords, requestWords, seedsWords } from '../../views/benchmark-words.ts'
import { GapBars } from '../../views/charts/gap-bars.tsx'
import { PathChart } from '../../views/charts/path-chart.tsx'
import { RelearnChart } from '../../views/charts/relearn-chart.tsx'
import { reasonWords } from '../../views/deliveries.tsx'
import { documentOf, LiveNote, Page, REFRESH_SECONDS } from '../../views/layout.tsx'
import { TAIL_LINES } from '../../views/log-line.ts'
import { Manifests } from '../../views/manifests.tsx'
import { Masks } from '../../views/masks.tsx'
import { utc } from '../../views/numbers.ts'
import { Params } from '../../views/params.tsx'
import { endedWithout, LogList, LogTail, showsTail, type Tails } from '../../views/run-logs.tsx'
import { Artifacts, EarlierValues, Metrics, Times } from '../../views/run-results.tsx'
import { type ShownRun, StageList, standing } from '../../views/stage-list.tsx'
import { asRunState, StateWord, wordOf } from '../../views/state.tsx'
import { titled, viewOf } from './parts/view-of.tsx'

/** The stage that failed, or the one whose newest delivery brought no result. */
const Failure = ({ run, tails }: { run: ShownRun; tails: Tails }) => {
  const stage = run.stages.find(({ state }) => state === 'failed') ?? run.stages.find(endedWithout)
  if (!stage) return null
  const word = stage.state === 'queued' ? 'Waits again' : wordOf(asRunState(stage.state))
  return (
    <section class="box">
      <h2>
        {word}: {stage.title.toLowerCase()}, {reasonWords(stage.reason)}
      </h2>
      <p>{stage.message}</p>
      <p>{stage.nextStep}</p>
      {stage.logLength > 0 ? <LogTail run={run} stage={stage} tails={tails} /> : <p class="small">It wrote no log.</p>}
    </section>
  )
}

const Versions = ({ run }: { run: ShownRun }) => {
  const versions = new Set(
    run.stages.flatMap(({ versions: found }) => Object.entries(found).map(([name, version]) => `${name} ${version}`)),
  )
  const devices = new Set(
    run.stages.flatMap(({ device }) =>
      device ? [`${device.deviceClass}, ${device.provider}, ${device.precision}, ${device.threads} threads`] : [],
    ),
  )
  const runners = new Set(run.stages.flatMap(({ runner }) => runner ?? []))
  return (
    <dl class="facts">
      <dt>Software</dt>
      <dd>{[...versions].join(', ') || 'no stage has finished yet'}</dd>
      <dt>Device</dt>
      <dd>{[...devices].join('; ') || 'no stage has finished yet'}</dd>
      <dt>Runners</dt>
      <dd>{[...runners].join(', ') || 'none yet'}</dd>
      <dt>Metrics</dt>
      <dd>
        {run.benchmark.metrics.map((identity, index) => (
          <>
            {index > 0 && ', '}
            <code>{identity}</code>
          </>
        ))}
      </dd>
      <dt>Stage keys</dt>
      <dd>
        {run.stages.map((stage) => (
          <div>
            {stage.title} <span class="hash">{stage.key}</span>
          </div>
        ))}
      </dd>
    </dl>
  )
}

const PathToRetrain = ({ path }: { path: ShownPath | string | null }) => {
  if (path === null) return null
  return (
    <>
      <h2 id="path">Path to retrain</h2>
      {typeof path === 'string' ? (
        <p class="muted">The path cannot be drawn: {path}.</p>
      ) : (
        <>
          {path.elsewhere.length > 0 && (
            <p class="warn">
              It does not end where this run does ({path.elsewhere.join(', ')}): its values are its runner’s word alone.
            </p>
          )}
          <PathChart metrics={path.metrics} points={path.points} />
        </>
      )}
    </>
  )
}

export const runPage: Route = (app) =>
  app.get('/runs/:id', async (c) => {
    const db = c.get('db')
    const run = titled(await getRun(db, c.req.param('id'), await viewerOf(c)))
    const sizes = await logSizes(
      db,
      run.stages.map(({ key }) => key),
    )
    const tails: Tails = new Map()
    for (const { key, deliveries: attempt } of run.stages.filter(showsTail)) {
      const size = sizes.get(key)?.find((size) => size.attempt === attempt) ?? { attempt, bytes: 0, lines: 0 }
      tails.set(key, { attempt, ...(await readTail(db, c.env.STORE, key, size, TAIL_LINES)) })
    }
    const manifests = await listManifests(
      db,
      run.stages.map(({ key }) => key),
    )
    const masks = await masksOf(db, c.env.STORE, run.stages)
    const path = await pathOf(db, c.env.STORE, run)
    const curves = await curvesOf(db, c.env.STORE, run)
    const samples = await Promise.all(
      run.samples.map(async (sample) => ({
        ...sample,
        size: sample.picture ? await pictureSize(c.get('db'), c.env.STORE, sample.picture.sha256) : null,
      })),
    )
    const metrics = Object.values(run.metrics)
    const { benchmark, title, label, seed, state, params, author, method, methodVersion } = run
    const view = viewOf(benchmark.task.id)
    const live = c.req.query('live') !== '0'
    const open = state === 'queued' || state === 'running'
    const address = `/runs/${run.id}`
    return c.html(
      documentOf(
        <Page
          title={`${wordOf(state)}: ${title} on ${benchmark.title}, seed ${seed}`}
          crumbs={[
            { href: '/', text: 'Boards' },
            { href: `/boards/${benchmark.slug}`, text: benchmark.title },
            { href: `/submissions/${run.submission}`, text: 'Submission' },
          ]}
          refreshSeconds={open && live ? REFRESH_SECONDS : undefined}
          live={open && live}
          json={`/api/v1/runs/${run.id}`}
        >
          <div class="heading" data-part="heading">
            <h1>
              {title} {label && `${label} `}on {benchmark.title}, seed {seed}
            </h1>
            <StateWord state={state} badge />
          </div>
          <WithdrawnNote withdrawn={run.withdrawn} />
          {open && (
            <LiveNote live={live} path={address} seconds={REFRESH_SECONDS} socket={`/api/v1/runs/${run.id}/live`} />
          )}
          <p class="visually-hidden" role="status" data-part="said">
            {standing(run)}
          </p>
          <div data-part="failure">
            <Failure run={run} tails={tails} />
          </div>
          <div data-part="samples">
            {samples.length > 0 && (
              <>
                <h2 id="samples">Samples</h2>
                {view.samples(run, samples)}
                <h2 id="run">This run</h2>
              </>
            )}
          </div>
          <dl class="facts">
            <dt>Run</dt>
            <dd>
              <code>{run.id}</code>, submitted by {author} on <time datetime={run.createdAt}>{utc(run.createdAt)}</time>
            </dd>
            <dt>Method</dt>
            <dd>
              <a href={`/methods/${method}`}>{title}</a>, version {methodVersion}
              {Object.keys(params).length > 0 && <Params params={params} />}
            </dd>
            {benchmark.seeding && (
              <>
                <dt>Seeds</dt>
                <dd>{seedsWords(benchmark, seed)}</dd>
              </>
            )}
            <dt>Benchmark</dt>
            <dd>
              {datasetWords(benchmark.dataset)}, {modelWords(benchmark.model)}; {requestWords(benchmark)};{' '}
              {recipeWords(benchmark)}
            </dd>
            {view.facts(
              benchmark,
              metrics.map(({ identity }) => identity),
            )}
          </dl>
          <div data-part="stages">
            <h2 id="stages">Stages</h2>
            <StageList run={run} />
            {run.stages
              .filter(({ state }) => state === 'leased')
              .map((stage) => (
                <LogTail run={run} stage={stage} tails={tails} />
              ))}
          </div>
          <div data-part="result">
            <h2 id="result">Result</h2>
            {metrics.length > 0 ? (
              <>
                <Metrics run={run} />
                <EarlierValues run={run} />
                {run.reference && run.reference !== run.id && (
                  <p class="small">
                    Compared with <a href={`/runs/${run.reference}`}>retrain, seed {seed}</a>.
                  </p>
                )}
                {run.reference !== run.id && (
                  <GapBars
                    // Points are of percent.
                    metrics={metrics.filter(({ better, unit }) => better === 'closer-to-retrain' && unit === '%')}
                  />
                )}
                {curves && <RelearnChart curves={curves} run={run} />}
              </>
            ) : (
              <p class="muted">Metrics appear when the evaluation has finished.</p>
            )}
            <PathToRetrain path={path} />
            <h2 id="time">Time</h2>
            <Times run={run} />
          </div>
          <h2 id="repeat">Repeat this run</h2>
          <p>On your own machine, with the same seed and therefore the same {view.sameSeed}:</p>
          <pre>
            <code>{askedOf(new URL(c.req.url).origin, benchmark.slug, run.command)}</code>
          </pre>
          <div data-part="evidence">
            <h2 id="logs">Logs</h2>
            <LogList run={run} sizes={sizes} />
            <h2 id="evidence">Evidence and artifacts</h2>
            <Artifacts run={run} />
            <Masks masks={masks} />
            <h2 id="manifests">Manifests</h2>
            <Manifests run={run} manifests={manifests} origin={new URL(c.req.url).origin} />
            <h2 id="versions">What made these numbers</h2>
            <Versions run={run} />
          </div>
        </Page>,
      ),
    )
  })
