/** A log as plain lines with anchors; never virtualised, so that the browser's own search finds everything. */

/** Terminal colours and carriage-return rewrites say nothing here. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminal escapes begin with
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g

export function linesOf(text: string): string[] {
  const lines = text
    .replace(ESCAPES, '')
    .split('\n')
    .map((line) => line.replace(/^.*\r(?=.)/, ''))
  if (lines.at(-1) === '') lines.pop()
  return lines
}

export const Log = ({ id, text }: { id: string; text: string }) => (
  <ol class="log">
    {linesOf(text).map((line, index) => (
      <li id={`${id}-L${index + 1}`}>
        <a href={`#${id}-L${index + 1}`} aria-label={`Line ${index + 1}`}>
          {index + 1}
        </a>
        {line}
      </li>
    ))}
  </ol>
)
