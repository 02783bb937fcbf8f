/** Where output goes: data to stdout, everything meant for eyes to stderr. Colours follow NO_COLOR and the terminal. Whoever wrote
 *  the text, it moves no cursor: control characters are shown by their codes, and only our own styles reach the terminal. */
import { randomInt } from 'node:crypto'
import { styleText } from 'node:util'
import { visible } from '../../schema/parts/controls.ts'

type Style = Parameters<typeof styleText>[0]

export const interactive = (): boolean => Boolean(process.stderr.isTTY) && process.env.TERM !== 'dumb'

const ESCAPE = '\u001b'
/** Stands for the escape of our own styles until a line is written: another one in every process, so that no text can bring it. */
const MARK = String.fromCodePoint(0x10_0000 + randomInt(0xfffe))
const marks = new RegExp(`${MARK}(\\[\\d+m)`, 'gu')

/** A line as the terminal gets it. */
export const shown = (line: string): string => visible(line).replace(marks, `${ESCAPE}$1`)

/** How many characters a line takes, without its styles. */
export const widthOf = (line: string): number => [...line.replace(marks, '')].length

const direct = (line: string): void => void process.stderr.write(`${shown(line)}\n`)
let above = direct

/** A line on stderr; above the progress bars while there are any. */
export const note = (line = ''): void => above(line)

/** Progress bars redraw what lies under them, so lines must go through them; null ends that. */
export function drawNotesAbove(write: ((line: string) => void) | null): void {
  above = write ?? direct
}

/** A line of data on stdout. */
export const print = (line = ''): void => void process.stdout.write(`${shown(line)}\n`)

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** One JSON value a line. */
export const printJsonLine = (value: unknown): void => print(JSON.stringify(value))

/** For stderr. */
export const styled = (style: Style, text: string): string => marked(style, text, process.stderr)

/** For stdout. */
export const styledData = (style: Style, text: string): string => marked(style, text, process.stdout)

function marked(style: Style, text: string, stream: NodeJS.WriteStream): string {
  const [before = '', after = ''] = styleText(style, MARK, { stream }).split(MARK)
  return before.replaceAll(ESCAPE, MARK) + text + after.replaceAll(ESCAPE, MARK)
}
