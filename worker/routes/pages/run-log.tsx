/** The log of one stage of a run, a page of lines at a time. Its latest delivery's, unless `attempt` says which. */

import { z } from 'zod'
import { ApiError } from '../../../schema/errors.ts'
import { MAX_LOG_BYTES } from '../../../schema/protocol/log.ts'
import { viewerOf } from '../../access/people.ts'
import type { Route } from '../../http/route.ts'
import { type LogSize, logSizes, readLines } from '../../queries/logs/read-log.ts'
import { getRun } from '../../queries/runs/runs.ts'
import { documentOf, Page } from '../../views/layout.tsx'
import { type LogAddress, LogLines, lastPageOf, logPage } from '../../views/log.tsx'
import { LINES_A_PAGE } from '../../views/log-line.ts'
import { count, fileSize, plural } from '../../views/numbers.ts'
import { Download, showsTail } from '../../views/run-logs.tsx'
import type { ShownRun } from '../../views/stage-list.tsx'
import { titled } from './parts/view-of.tsx'

const wholeNumber = z.coerce.number().int().min(1)
const query = z.object({ page: wholeNumber.optional(), attempt: wholeNumber.optional() })

const Pages = ({ address, page, last }: { address: LogAddress; page: number; last: number }) => {
  if (last === 1) return null
  const links: [string, number][] = [
    ['First', 1],
    ['Earlier', page - 1],
    ['Later', page + 1],
    ['Last', last],
  ]
  return (
    <nav class="pages" aria-label="Pages of the log">
      {links.map(([word, target]) =>
        target < 1 || target > last || target === page ? (
          <span class="muted">{word}</span>
        ) : (
          <a href={logPage(address, target)}>{word}</a>
        ),
      )}
      <span>
        Page {count(page)} of {count(last)}
      </span>
    </nav>
  )
}

const Attempts = ({ sizes, current, address }: { sizes: LogSize[]; current: number; address: LogAddress }) => {
  if (sizes.length < 2) return null
  return (
    <p>
      Logs of this stage:{' '}
      {sizes.map(({ attempt }, index) => (
        <>
          {index > 0 && ', '}
          {attempt === current ? (
            <strong>attempt {count(attempt)}</strong>
          ) : (
            <a href={logPage({ ...address, attempt })}>attempt {count(attempt)}</a>
          )}
        </>
      ))}
    </p>
  )
}

function stageOf(run: ShownRun, word: string) {
  const stage = /^[1-9]\d*$/.test(word) ? run.stages[Number(word) - 1] : undefined
  if (!stage) {
    throw new ApiError('not_found', `run "${run.id}" has the stages 1 to ${run.stages.length}; got "${word}"`)
  }
  return stage
}

export const runLogPage: Route = (app) =>
  app.get('/runs/:id/log/:stage', async (c) => {
    const db = c.get('db')
    const run = titled(await getRun(db, c.req.param('id'), await viewerOf(c)))
    const stage = stageOf(run, c.req.param('stage'))
    const asked = query.safeParse(c.req.query())
    if (!asked.success) throw new ApiError('invalid_request', 'expected whole numbers from 1 on as page and attempt')
    const sizes = (await logSizes(db, [stage.key])).get(stage.key) ?? []
    const latest = sizes.at(-1)
    const attempt = asked.data.attempt ?? latest?.attempt ?? 1
    const size = sizes.find((size) => size.attempt === attempt)
    if (asked.data.attempt !== undefined && !size) {
      throw new ApiError('not_found', `attempt ${attempt} of this stage wrote no log`)
    }
    const number = Number(c.req.param('stage'))
    const address = { run: run.id, stage: number, attempt: size === latest ? undefined : attempt }
    const last = size ? lastPageOf(size) : 1
    const page = asked.data.page ?? (showsTail(stage) ? last : 1)
    if (page > last) throw new ApiError('not_found', `this log has ${plural(last, 'page')}; got page ${page}`)
    const first = (page - 1) * LINES_A_PAGE + 1
    // The last page also holds a line that was not ended.
    const most = page === last ? LINES_A_PAGE + 1 : LINES_A_PAGE
    const { lines } = size
      ? await readLines(db, c.env.STORE, stage.key, { attempt, first, most })
      : { lines: [] as string[] }
    const title = `Log of stage ${number}: ${stage.title}`
    return c.html(
      documentOf(
        <Page
          title={`${title}, ${run.title} on ${run.benchmark.title}, seed ${run.seed}`}
          crumbs={[
            { href: '/', text: 'Boards' },
            { href: `/boards/${run.benchmark.slug}`, text: run.benchmark.title },
            { href: `/runs/${run.id}`, text: `${run.title}, seed ${run.seed}` },
          ]}
        >
          <h1>{title}</h1>
          {size ? (
            <p>
              {plural(size.lines, 'line')}, {fileSize(size.bytes)}.{' '}
              <Download stage={stage} attempt={attempt}>
                Download all of it
              </Download>
              .
              {stage.state === 'leased' &&
                address.attempt === undefined &&
                ' It is still being written: reload for more.'}
            </p>
          ) : (
            <p class="muted">Nothing was written yet.</p>
          )}
          {size && size.bytes >= MAX_LOG_BYTES && (
            <p class="box note">
              <strong>Cut off:</strong> a log holds {fileSize(MAX_LOG_BYTES)}; what was written after that is not kept.
            </p>
          )}
          <Attempts sizes={sizes} current={attempt} address={address} />
          <Pages address={address} page={page} last={last} />
          {lines.length > 0 && (
            <ol class="log whole">
              <LogLines address={address} first={first} lines={lines} />
            </ol>
          )}
          <Pages address={address} page={page} last={last} />
        </Page>,
      ),
    )
  })
