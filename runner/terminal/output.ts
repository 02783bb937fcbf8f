/** Where output goes: data to stdout, everything meant for eyes to stderr. Colours follow NO_COLOR and the terminal. */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export const interactive = (): boolean => Boolean(process.stderr.isTTY) && process.env.TERM !== 'dumb'

/** A line on stderr. */
export const note = (line = ''): void => void process.stderr.write(`${line}\n`)

/** A line of data on stdout. */
export const print = (line = ''): void => void process.stdout.write(`${line}\n`)

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** One JSON value a line. */
export const printJsonLine = (value: unknown): void => print(JSON.stringify(value))

/** For stderr. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stderr })

/** For stdout. */
export const styledData = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })
