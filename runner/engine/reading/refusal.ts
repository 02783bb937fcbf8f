/** How a file is refused: in one line, of a length that a person reads, whatever the file's names hold. */

const LONGEST = 400
const LONGEST_NAME = 120

/** Names come from the file, so that they can be of any length and hold line breaks. */
export const shown = (name: string): string => clipped(name || '(without name)', LONGEST_NAME)

/** The first names of a list, and how many more it has. */
export const listed = (names: readonly string[], most = 8): string =>
  [...names.slice(0, most).map(shown), ...(names.length > most ? [`${names.length - most} more`] : [])].join(', ')

function clipped(text: string, length: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const line = text.slice(0, 2 * length).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}

const DAMAGED = 'inputs or attributes are not as the op has them; the file is damaged, or no valid ONNX model'

/** An error in one line. Rules trust their inputs: where those don't fit an op, JavaScript's own words would tell nobody. */
export function refusal(error: unknown): Error {
  const own = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError
  const { message } = error as Error
  const line = own ? DAMAGED : clipped(message, LONGEST)
  return line === message ? (error as Error) : new Error(line, { cause: error })
}
