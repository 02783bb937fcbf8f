/** The page of a board, of one benchmark or of a suite: facts, ranking, how to add a row, export. */
import type { Child } from 'hono/jsx'
import type { Ranking } from '../../../../schema/api/board.ts'
import type { Benchmark } from '../../../../schema/benchmark.ts'
import { Absences } from '../../../views/absences.tsx'
import { FORM } from '../../../views/board-heads.tsx'
import { LiveNote, Page, REFRESH_SECONDS } from '../../../views/layout.tsx'
import { MetricLinks } from '../../../views/metric-links.tsx'
import { utc } from '../../../views/numbers.ts'
import { unfinished } from '../../../views/state.tsx'
import { Verdict } from '../../../views/verdict.tsx'
import { viewOf } from './view-of.tsx'

interface BoardPageProps {
  about: { title: string; summary: string }
  /** The benchmark, or one of the suite's. */
  benchmark: Benchmark
  board: Ranking & { generatedAt: string }
  path: string
  /** Address of the same as JSON. */
  api: string
  live: boolean
  /** What comes before the facts of the task. */
  facts: [name: string, words: Child][]
  /** Title of the ranking. */
  ranking: string
  /** Said of a board without rows, before how to submit. */
  nobody: string
  /** What the form that sorts keeps of the address, beside `live`. */
  kept?: Record<string, string>
  /** Table and charts of a board with rows. */
  children: Child
  /** Said before everything else. */
  notice?: Child
  /** Nothing can be added any more. */
  closed?: boolean
  adding: Child
  command: string
}

export const BoardPage = ({
  about: { title, summary },
  benchmark,
  board,
  path,
  api,
  live,
  facts,
  ranking,
  nobody,
  kept = {},
  children,
  notice,
  closed = false,
  adding,
  command,
}: BoardPageProps) => {
  const all = [...board.references, ...board.rows]
  const open = all.some(({ runs }) => unfinished(runs))
  const fields = Object.entries({ ...(!live && { live: '0' }), ...kept })
  return (
    <Page
      title={title}
      description={summary}
      section="/"
      crumbs={[{ href: '/', text: 'Boards' }]}
      refreshSeconds={open && live ? REFRESH_SECONDS : undefined}
      json={api}
    >
      <h1>{title}</h1>
      <p class="lede">{summary}</p>
      {notice}
      <dl class="facts">
        {facts.map(([name, words]) => (
          <>
            <dt>{name}</dt>
            <dd>{words}</dd>
          </>
        ))}
        {viewOf(benchmark.task.id).facts(
          benchmark,
          board.columns.flatMap(({ measured }) => measured),
        )}
        <dt>Metrics</dt>
        <dd>
          <MetricLinks columns={board.columns} />
        </dd>
      </dl>
      {open && <LiveNote live={live} path={path} seconds={REFRESH_SECONDS} />}
      <h2 id="ranking">{ranking}</h2>
      {all.length === 0 ? (
        <p>
          {closed ? (
            'Nobody submitted to this board.'
          ) : (
            <>
              {nobody} <a href="/docs#submit">how to submit</a>.
            </>
          )}
        </p>
      ) : (
        <>
          <form id={FORM} method="get" action={path}>
            {fields.map(([name, value]) => (
              <input type="hidden" name={name} value={value} />
            ))}
          </form>
          <Verdict board={board} benchmark={benchmark} />
          {children}
        </>
      )}
      <Absences absent={board.absent} />
      {!closed && (
        <>
          <h2 id="add">Add a row</h2>
          <p>{adding}</p>
          <pre>
            <code>{command}</code>
          </pre>
        </>
      )}
      <h2 id="export">Export</h2>
      <p>
        This board as <a href={api}>JSON</a> or <a href={`${api}.csv`}>CSV</a>, as of{' '}
        <time datetime={board.generatedAt}>{utc(board.generatedAt)}</time>.
      </p>
    </Page>
  )
}
