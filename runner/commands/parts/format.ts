/** `--format`: what a command's tables are printed as; `--json` is short for one of them. */
import { Option } from 'commander'
import { type Format, formats } from '../../terminal/sheet.ts'
import { UsageError } from '../../words/usage.ts'

export interface FormatOptions {
  format?: Format
  /** Of some commands the file that JSON is written into, whatever else is printed. */
  json?: boolean | string | undefined
}

export const formatOption = () =>
  new Option(
    '--format <kind>',
    'what is printed; latex is a tabular for the package booktabs (default: table)',
  ).choices(formats)

export function formatOf({ format, json }: FormatOptions): Format {
  if (json !== true) return format ?? 'table'
  if (format === undefined || format === 'json') return 'json'
  throw new UsageError(`--json is --format json: expected one format, got --format ${format} too`)
}
