/** Lines of a log with their numbers; never virtualised, so that the browser's own search finds everything. */
import { linePieces, pageOf } from './log-line.ts'

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

/** The last page of a log. */
export const lastPageOf = ({ lines }: { lines: number }) => pageOf(lines)

interface LinesProps {
  address: LogAddress
  /** Number of the first line. */
  first: number
  lines: string[]
  prefix?: string
}

export const LogLines = ({ address, first, lines, prefix = '' }: LinesProps) => (
  <>
    {lines.map((line, index) => {
      const { id, href, label, number, text } = linePieces(line, first + index, { page: logPage(address), prefix })
      return (
        <li id={id}>
          <a href={href} aria-label={label}>
            {number}
          </a>
          {text}
        </li>
      )
    })}
  </>
)
