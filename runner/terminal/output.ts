/** Where output goes: data to stdout, everything meant for eyes to stderr. Colours follow NO_COLOR and the terminal. */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export const interactive = (): boolean => Boolean(process.stderr.isTTY) && process.env.TERM !== 'dumb'

const direct = (line: string): void => void process.stderr.write(`${line}\n`)
let above = direct

/** A line on stderr; above the progress bars while there are any. */
export const note = (line = ''): void => above(line)

/** Progress bars redraw what lies under them, so lines must go through them; null ends that. */
export function drawNotesAbove(write: ((line: string) => void) | null): void {
  above = write ?? direct
}

/** A line of data on stdout. */
export const print = (line = ''): void => void process.stdout.write(`${line}\n`)

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** One JSON value a line. */
export const printJsonLine = (value: unknown): void => print(JSON.stringify(value))

/** For stderr. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stderr })

/** For stdout. */
export const styledData = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })
