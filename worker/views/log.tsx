/** Lines of a log with their numbers; never virtualised, so that the browser's own search finds everything. */

export const LINES_A_PAGE = 1000
/** What a run's page shows of a log, from its end. */
export const TAIL_LINES = 100

/** A stage's log: the run, the stage's number in it counted from 1, and the delivery where it is not the latest. */
export interface LogAddress {
  run: string
  stage: number
  attempt?: number | undefined
}

export function logPage({ run, stage, attempt }: LogAddress, page?: number): string {
  const query = new URLSearchParams({
    ...(attempt !== undefined && { attempt: String(attempt) }),
    ...(page !== undefined && { page: String(page) }),
  }).toString()
  return `/runs/${run}/log/${stage}${query && `?${query}`}`
}

/** On which page a line is. */
const pageOf = (line: number) => Math.max(1, Math.ceil(line / LINES_A_PAGE))
/** The last page of a log. */
export const lastPageOf = ({ lines }: { lines: number }) => pageOf(lines)

/** Terminal colours and carriage-return rewrites say nothing here. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminal escapes begin with
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g
/** A line as a page shows it. */
export const plainLine = (line: string) => line.replace(ESCAPES, '').replace(/^.*\r(?=.)/, '')

interface LinesProps {
  address: LogAddress
  /** Number of the first line. */
  first: number
  lines: string[]
  /** Put before the ids of lines where a page shows several logs. */
  prefix?: string
}

export const LogLines = ({ address, first, lines, prefix = '' }: LinesProps) => (
  <>
    {lines.map((line, index) => {
      const number = first + index
      return (
        <li id={`${prefix}L${number}`}>
          <a href={`${logPage(address, pageOf(number))}#L${number}`} aria-label={`Line ${number}`}>
            {number}
          </a>
          {plainLine(line)}
        </li>
      )
    })}
  </>
)
