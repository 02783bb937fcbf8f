/** Characters that say nothing and change what stands around them: terminals obey control characters, and bidirectional ones turn
 *  text about. Names and labels may not hold them; where older text or a runner's own words do, they are shown by their codes. */

const CONTROLS = '\\p{Cc}\\p{Zl}\\p{Zp}\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069'
const control = new RegExp(`[${CONTROLS}]`, 'gu')
/** Text without any. */
export const plainText = new RegExp(`^[^${CONTROLS}]*$`, 'u')

/** As JSON writes it: `\u001b`. */
const code = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`

/** Control characters by their codes, but for tabs and line feeds. */
export const visible = (text: string): string =>
  text.replace(control, (found) => (found === '\n' || found === '\t' ? found : code(found)))

/** Line feeds and tabs too: for what has one line only. */
export const visibleInLine = (text: string): string => text.replace(control, code)
