/** The documentation: what is measured and how, how to submit, how to run a runner. */
import type { Child } from 'hono/jsx'
import { COMMAND } from '../../../runner/words/command.ts'
import { tasks } from '../../../schema/task.ts'
import {
  allBenchmarks,
  columnsOf,
  EXAMPLE,
  exampleFor,
  limitWords,
  metricsOf,
  scienceTasks,
} from '../../http/catalogue.ts'
import type { Route } from '../../http/route.ts'
import { commandFor, runnerCommand } from '../../queries/runs/command.ts'
import { EvidenceFormat } from '../../views/evidence-format.tsx'
import { documentOf, Page } from '../../views/layout.tsx'
import { Prose } from '../../views/prose.tsx'
import { viewOf } from './parts/view-of.tsx'

const toc = (): [id: string, text: string][] => [
  ['measurement', 'What is measured'],
  ['metrics', 'Metrics'],
  ...[...tasks].map(([id, { title }]): [string, string] => [id, title]),
  ['gap', 'Avg. Gap'],
  ['rank', 'Rank'],
  ['time', 'Time'],
  ['suites', 'Suites'],
  ['run', 'Run on your machine'],
  ['score', 'Score answers of your own'],
  ['submit', 'Submit'],
  ['webhooks', 'Be told'],
  ['runner', 'Run a runner'],
  ['evidence', 'Evidence'],
  ['own', 'Benchmarks of one’s own'],
  ['server', 'Run a server'],
]

const Code = ({ children }: { children?: Child }) => (
  <pre>
    <code>{children}</code>
  </pre>
)

/** Metrics in the order of the boards' columns, then any that no board shows. */
function inOrder(task: string) {
  const columns = allBenchmarks().flatMap((benchmark) =>
    benchmark.task.id === task ? columnsOf(benchmark).map(({ id }) => id) : [],
  )
  const columnOf = (id: string) => (columns.includes(id) ? columns.indexOf(id) : columns.length)
  return [...metricsOf(task)].sort(([a], [b]) => columnOf(a) - columnOf(b))
}

/** What the metric did not see of models that are known. */
const Limits = ({ task, id }: { task: string; id: string }) => {
  const words = limitWords(scienceTasks.get(task)?.limits?.[id])
  return words === null ? null : (
    <>
      {' '}
      <Prose text={words} />
    </>
  )
}

/** Those of many models at once, which no board shows. */
const PopulationMetrics = ({ task }: { task: string }) => (
  <>
    {Object.entries(scienceTasks.get(task)?.population?.metrics ?? {}).map(
      ([id, { title, named, definition, least }]) => (
        <>
          <h3 id={`metric-${id}`}>
            {title} <code class="muted">{named}</code>
          </h3>
          <p>
            <Prose text={definition} /> Of {least} models a side and more: palimpsest audit computes it, beside what it
            finds between equal models; no board shows it.
            <Limits task={task} id={id} />
          </p>
        </>
      ),
    )}
  </>
)

const TaskSection = ({ task, title }: { task: string; title: string }) => (
  <>
    <h2 id={task}>{title}</h2>
    {viewOf(task).docs()}
    {inOrder(task).map(([id, { title, definition, named, unit, better, besideAvgGap, against }]) => (
      <>
        <h3 id={`metric-${id}`}>
          {title} <code class="muted">{named}</code>
        </h3>
        <p>
          <Prose text={definition} /> {unit && `Unit: ${unit}. `}
          {better === 'closer-to-retrain' ? 'Closer to retrain' : better === 'larger' ? 'Larger' : 'Smaller'} is better.
          {against && ' Of two models, this one and retrain of the same seed: it has no gap, and retrain itself none.'}
          {besideAvgGap && ' Shown beside Avg. Gap, no part of it.'}
          {named.includes('*') && ' The * stands for the extractor of the features.'}
          <Limits task={task} id={id} />
        </p>
      </>
    ))}
    <PopulationMetrics task={task} />
  </>
)

const Measurement = () => (
  <>
    <h2 id="measurement">What is measured</h2>
    <p>
      A benchmark fixes a dataset D, a model, a training recipe and a forget request. For each seed, the request splits
      D into the forget set <Prose text="D_f" /> and the retain set <Prose text="D_r" />. The <em>original</em> is
      trained on D; <em>retrain</em> is trained from scratch on <Prose text="D_r" /> and shows what perfect forgetting
      looks like. A method starts from the original and must end where retrain is, in less time.
    </p>
    <p>
      The request may be a random share or number of images, a class, several, a part of one, or a list of positions in
      the training set. Where samples are forgotten the aim of a benchmark is <em>untraining</em>: to undo their
      influence. Where classes are, it is <em>unlearning</em>: to remove what the model knows of them. A benchmark may
      say otherwise, its board shows the aim, and no ranking has both.
    </p>
    <p>Every score is compared with retrain of the same seed and the same split.</p>
    <p>
      The seed of a run is that of three things: of training, of the forget set and of unlearning. A benchmark may let
      runs in a row share the first two. With{' '}
      <code>{'"seeding": { "runsPerTraining": 2, "runsPerForgetSet": 2 }'}</code> runs 0 and 1 unlearn the same images
      from the same original, runs 2 and 3 from another, and <code>"all"</code> for a number fixes one for all runs.
      Runs that share a seed are alike, so they are averaged first: means, spreads, intervals, tests and n are over
      these clusters. What all runs share makes no cluster, and the board says that its figures are of that one alone.
    </p>
    <h2 id="metrics">Metrics</h2>
    <p>
      A metric is a pure function of stored evidence and has an identity. Numbers of different identities never share a
      column. Each task has metrics of its own.
    </p>
    {[...tasks].map(([task, { title }]) => (
      <TaskSection task={task} title={title} />
    ))}
    <h2 id="gap">Avg. Gap</h2>
    <p>
      Over metrics that are better the closer they are to retrain, and are not shown beside it. For one seed, the mean
      over these metrics of |value − retrain of that seed|, in points. A board shows its mean and standard deviation
      over seeds, and ranks by them; averages are taken from unrounded values. Smaller is better. 0 is the retrained
      model itself, which no other model reaches: a second one, trained on the same <Prose text="D_r" /> from other
      initial weights in another order, is some way off as well. The reference row{' '}
      <a href="/methods/retrain-again">Retrain again</a>, where somebody submitted it, shows how far: it is the floor,
      and a gap that is no larger cannot be told from retraining. Below Avg. Gap stands the <em>gap of means</em>, which
      tables of papers show: the means over seeds come first, then the mean over the metrics of |mean value − mean value
      of retrain|. What lies above retrain with one seed and below it with another cancels out there, so it is never
      larger than Avg. Gap.
    </p>
    <h2 id="rank">Rank</h2>
    <p>
      A rank is a range. One row beats another when a paired t-test over the seeds they share separates them at 5% after
      Holm's correction over all pairs of the board, and would still do so after one more seed, five standard deviations
      of the differences against it (50/n of them below ten seeds): gaps are skewed, and a few seeds without a bad one
      look surer than they are. The range starts at 1 + the rows that beat this one and ends at the number of rows minus
      those it beats. Fewer than three common seeds separate nothing. Where the differences of all n seeds are the same,
      there is no variance to test by and only their sign counts, with p = 2<sup>−(n − 1)</sup> as in the exact
      sign-flip test: at 5% that takes six seeds. With fewer than 10 seeds a rank is provisional: the test has little
      power, so ranges are wide.
    </p>
    <p>
      Seeds are not the submitter's to choose. A row counts the benchmark's own, in their order, and the whole numbers
      that follow them, up to the first that was not run; other runs are shown and not counted. A row is ranked once all
      of the benchmark's own are done. Beside it stands how often its author submitted the method there in private, with
      any parameters: a good setting that was found in many trials is worth less than one that was named first.
    </p>
    <h2 id="withdrawn">What no longer counts</h2>
    <p>
      An author or an admin can withdraw a submission: its rows leave the boards, which list it with the reason. Where a
      runner turns out not to be trusted, or what it made is damaged, its results are set aside, with all that was
      computed from them, and the stages are computed anew by others; until then the board says so, with the reason.
      What was signed stays readable on the page of each run.
    </p>
    <p>
      A share of all stages but trainings, chosen by chance, is computed once more by another runner. The page of the
      run says whether the two agree and how far apart they are: metrics by at most 1 point or 1%, pixels of samples by
      4 of 255 on average, weights by how far unlearning moved them, since machines round in different ways.
    </p>
    <h2 id="time">Time</h2>
    <p>
      RTE is measured by the runner around the method, never by the method: set-up, mask and unlearning together, the
      parts shown apart on the page of each run. It is given in seconds and as a multiple of the training time of
      retrain with the same seed on the same device class.
    </p>
    <h2 id="suites">Suites</h2>
    <p>
      A suite is a list of benchmarks that differ only in the class to be forgotten. One submission to it has a run for
      each class and seed; the original of a seed is trained once for all classes, and retrain once for each. First
      seeds are worked off before second ones, and classes in their order. The board of a suite has, for each seed, the
      mean over the classes, and then mean and standard deviation over seeds; Avg. Gap and RTE are averaged over the
      classes in the same way. A row counts the seeds that were measured on the most classes, and is ranked once these
      are all classes. Each class keeps a board of its own, with the same runs.
    </p>
  </>
)

export const docsPage: Route = (app) =>
  app.get('/docs', (c) => {
    const origin = new URL(c.req.url).origin
    const benchmark = exampleFor(EXAMPLE)!
    const body = JSON.stringify({
      benchmark: benchmark.slug,
      method: EXAMPLE,
      params: { density: 0.5 },
      seeds: benchmark.seeds,
    })
    return c.html(
      documentOf(
        <Page title="Documentation" section="/docs">
          <h1 style="margin-top:2rem">Documentation</h1>
          <p class="lede">How numbers come about here, how to add your own, and how to lend a machine.</p>
          <div class="columns">
            <nav aria-label="On this page">
              <ul>
                {toc().map(([id, text]) => (
                  <li>
                    <a href={`#${id}`}>{text}</a>
                  </li>
                ))}
                <li>
                  <a href="/docs/api">API</a>
                </li>
              </ul>
            </nav>
            <div>
              <Measurement />
              <h2 id="run">Run on your machine</h2>
              <p>
                No account and no server are needed. The same code that runners execute prints the same numbers with the
                same seed on the same kind of machine with the same number of threads.
              </p>
              <Code>{commandFor(benchmark, EXAMPLE, {}, benchmark.seeds)}</Code>
              <EvidenceFormat />
              <h2 id="submit">Submit</h2>
              <p>
                Ask an admin for a submitter token, then send one request. Parameters you leave out take the benchmark's
                preset, then the method's default. Retrain runs that are missing for your seeds are added, so that your
                row gets its gap. Where a benchmark is named, a suite may be: then every class of it is run. A repeated
                request with the same <code>Idempotency-Key</code> is the same submission.
              </p>
              <Code>{`curl ${origin}/api/v1/submissions \\
  -H "Authorization: Bearer $PALIMPSEST_TOKEN" \\
  -H "Idempotency-Key: my-first" \\
  -H "Content-Type: application/json" \\
  -d '${body}'`}</Code>
              <p>The answer names the submission and its runs. Cancel what is left of it with:</p>
              <Code>{`curl -X POST ${origin}/api/v1/submissions/ID/cancel -H "Authorization: Bearer $PALIMPSEST_TOKEN"`}</Code>
              <p>
                A submission with <code>"visibility": "private"</code> is on no board, list or page. It, its runs and
                their logs are read with the token that made it, and by admins; to everybody else they do not exist. A
                stage that a public run needs as well is public through that run. Artifacts are read by whoever knows
                their SHA-256.
              </p>
              <h2 id="webhooks">Be told</h2>
              <p>
                A webhook tells an address of yours when what you submitted ends: <code>run.done</code>,{' '}
                <code>run.failed</code>, <code>run.cancelled</code> and <code>submission.ended</code>, one message for
                each end. Messages follow the <a href="https://www.standardwebhooks.com">Standard Webhooks</a> rules, so
                any of their libraries verifies them with the secret that is shown once.
              </p>
              <Code>{`curl ${origin}/api/v1/webhooks \\
  -H "Authorization: Bearer $PALIMPSEST_TOKEN" \\
  -H "Idempotency-Key: my-webhook" \\
  -H "Content-Type: application/json" \\
  -d '{"url":"https://example.org/hook","events":["submission.ended"]}'`}</Code>
              <p>
                An attempt that gets no 2xx within 15 seconds is repeated nine times over three days, with the same id.
                A webhook that got nothing for so long, or answers 410, is disabled, and says why;{' '}
                <code>/api/v1/webhooks/ID/deliveries</code> holds every attempt of the last 30 days, and each message
                can be replayed, which enables the webhook again. Addresses must be https and public.
              </p>
              <h2 id="runner">Run a runner</h2>
              <p>
                A runner asks for work over HTTPS, so it needs no open port. An admin makes a secret that enrols one
                machine, once. Commands here are typed in a checkout of Palimpsest, after <code>npm ci</code>:
              </p>
              <Code>{`PALIMPSEST_TOKEN=pal_admin_... ${COMMAND} runners invite --server ${origin}`}</Code>
              <p>
                On its first start the machine trades it for an identity: an Ed25519 key that stays in its home folder.
              </p>
              <Code>{runnerCommand(origin)}</Code>
              <p>
                It works only on jobs that this server signed, with the key it saw then. Admins see, label, pause, drain
                and revoke runners with <code>{COMMAND} runners</code>.
              </p>
              <p>
                A lease lasts 90 seconds and is renewed every 30. A runner that falls silent loses its lease, and its
                stage goes to the next runner; that counts as lost, not as failed, and costs the submitter nothing. A
                runner that comes back takes the stage up again while nobody else has it; what it writes later is
                refused, and a result that comes too late is kept as evidence.
              </p>
              <p>
                A stage that one runner failed goes to another one, and has failed for good when two agree that the
                fault lies in it, when three failed it, or, where every runner that is there has tried, after three
                failures or at once where another try would end the same way. A runner holds as many leases as it runs
                stages at once: one. A runner that fails what others do not is paused by the server; the{' '}
                <a href="/queue">queue</a> says why, its failures count for nothing, and an admin resumes it.
              </p>
              <h2 id="evidence">Evidence</h2>
              <p>
                Weights, logits and logs of every stage are kept under their SHA-256 and can be downloaded from the page
                of a run. A stage is named by the hash of everything that determines its result, so the same stage is
                never computed twice. The runner signs each result with the hashes of all of it, and the page of a run
                shows these manifests. Metrics are computed by the server from the evidence when a result comes; where
                that takes too long, the page says that a value is the runner's word. Compute everything again with:
              </p>
              <Code>{`${COMMAND} verify RUN --server ${origin}`}</Code>
              <h2 id="own">Benchmarks of one’s own</h2>
              <p>
                Whoever has an organiser token, which an admin creates, makes benchmarks at this server from a JSON
                file: the form is that of <a href="/api/v1/benchmarks">those that there are</a>, without{' '}
                <code>own</code>, and the slug begins with <code>own.</code>
              </p>
              <Code>{`PALIMPSEST_TOKEN=pal_organiser_... ${COMMAND} benchmarks create pets.json --server ${origin}`}</Code>
              <p>
                A definition never changes. With <code>--replaces own.pets</code> a file with the slug{' '}
                <code>own.pets.v2</code> is the next version, and the one before is retired: it takes no submissions any
                more, and its board stays. <code>benchmarks retire</code> does so without a new one. Images of your own
                are named by the digest of their content, which <code>benchmarks check</code> tells; a runner looks for
                them in a folder of that name among its <code>--data</code>. A list of images to be forgotten is named
                by its hash and looked for in the same places, as <code>SHA256.npy</code>, <code>.txt</code> or{' '}
                <code>.json</code>. Give runners that have it a label, and name the label under <code>requires</code>.
              </p>
              <p>
                The model may be a classifier of your own that other software exported to ONNX: its id is{' '}
                <code>onnx</code>, and only the hash of its file is sent. <code>{COMMAND} model check FILE.onnx</code>{' '}
                tells what becomes of it and prints what to write; a runner looks for a file <code>SHA256.onnx</code>,
                or a folder of that name with the file and those beside it, among its <code>--data</code>. Without{' '}
                <code>weights</code>, original and retrain are trained anew from the seed; <code>"pretrained"</code>{' '}
                begins both with the weights in the file, and <code>"original"</code> takes these as the original.
              </p>
              <h2 id="server">Run a server</h2>
              <p>
                This site is one Cloudflare Worker with a D1 database and an R2 bucket, and runs on one machine just as
                well. Its first admin token is any text <code>pal_admin_…</code> of letters and digits whose SHA-256 is
                the Worker's secret <code>ADMIN_TOKEN_SHA256</code>; that token creates all others. Its secret{' '}
                <code>SIGNING_KEY</code> is the Ed25519 key that signs jobs.
              </p>
            </div>
          </div>
        </Page>,
      ),
    )
  })
