/** A line of a log in the pieces that pages and the script of live pages both draw. */

import { visible } from '../../schema/parts/controls.ts'

export const LINES_A_PAGE = 1000
/** What a run's page shows of a log, from its end. */
export const TAIL_LINES = 100

/** On which page of its log a line is. */
export const pageOf = (number: number): number => Math.max(1, Math.ceil(number / LINES_A_PAGE))

/** Terminal colours and carriage-return rewrites say nothing here; what else a terminal would obey is shown by its code. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminal escapes begin with
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g
const plain = (line: string) => visible(line.replace(ESCAPES, '').replace(/^.*\r(?=.)/, ''))

export interface LogOnPage {
  /** Address of its first page. */
  page: string
  /** Put before the ids of lines where a page shows several logs. */
  prefix: string
}

/** A line, counted from 1, as it was written: the id of its item, the link that stands before it, and its text. */
export const linePieces = (line: string, number: number, { page, prefix }: LogOnPage) => ({
  id: `${prefix}L${number}`,
  href: `${page}${page.includes('?') ? '&' : '?'}page=${pageOf(number)}#L${number}`,
  label: `Line ${number}`,
  number: String(number),
  text: plain(line),
})
