/** Logs on a run's page: the last lines of one, and links to all of them. */
import type { RunStage } from '../../schema/api/run.ts'
import type { LogLines as Lines, LogSize } from '../queries/logs/read-log.ts'
import { type LogAddress, LogLines, logPage } from './log.tsx'
import { TAIL_LINES } from './log-line.ts'
import { count, fileSize, plural } from './numbers.ts'
import type { ShownRun, ShownStage } from './stage-list.tsx'

/** The latest lines of the delivery that runs or failed, by stage key. */
export type Tails = Map<string, Lines & { attempt: number }>

/** Whether its newest delivery brought no result, and none runs. */
export const endedWithout = ({ state, reason, deliveries }: RunStage): boolean =>
  deliveries > 0 && reason !== null && state !== 'leased' && state !== 'done'

export const showsTail = (stage: RunStage): boolean => stage.state === 'leased' || endedWithout(stage)

export const LogTail = ({ run, stage, tails }: { run: ShownRun; stage: ShownStage; tails: Tails }) => {
  const tail = tails.get(stage.key)
  if (!tail) return null
  const { first, lines, end, attempt } = tail
  const number = run.stages.indexOf(stage) + 1
  const address = { run: run.id, stage: number }
  return (
    <>
      <p class="small">
        {first > 1 ? `The last ${TAIL_LINES} lines` : 'All lines'} of the log of stage {number},{' '}
        {stage.title.toLowerCase()}. <a href={logPage(address)}>Read all of it</a>
      </p>
      {/* The browser keeps such a box at its end, also when lines are added. */}
      <section class="tail" tabindex={0} aria-label={`Last lines of the log of stage ${number}`}>
        <ol
          class="log"
          data-log={`${stage.key}/${attempt}`}
          data-end={end}
          data-prefix={`s${number}-`}
          data-page={logPage(address)}
        >
          <LogLines address={address} first={first} lines={lines} prefix={`s${number}-`} />
        </ol>
      </section>
    </>
  )
}

/** A link that saves a log as a file. */
export const Download = ({ stage, attempt, children }: { stage: RunStage; attempt: number; children: string }) => (
  <a
    href={`/api/v1/jobs/${stage.key}/log?attempt=${attempt}`}
    download={`${stage.spec.kind}-${stage.key.slice(0, 12)}-${attempt}.log`}
  >
    {children}
  </a>
)

export const LogList = ({ run, sizes }: { run: ShownRun; sizes: Map<string, LogSize[]> }) => {
  if (sizes.size === 0) return <p class="muted">Nothing was written yet.</p>
  return (
    <ul class="list">
      {run.stages.flatMap((stage, index) =>
        (sizes.get(stage.key) ?? []).map(({ attempt, bytes, lines }, at, all) => {
          const latest = at === all.length - 1
          const address: LogAddress = { run: run.id, stage: index + 1, attempt: latest ? undefined : attempt }
          return (
            <li>
              <a href={logPage(address)}>
                {stage.title}
                {all.length > 1 && `, attempt ${count(attempt)}`}
              </a>
              <span>
                {plural(lines, 'line')}, {fileSize(bytes)},{' '}
                <Download stage={stage} attempt={attempt}>
                  Download
                </Download>
              </span>
            </li>
          )
        }),
      )}
    </ul>
  )
}
