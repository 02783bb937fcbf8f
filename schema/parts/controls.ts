/** Characters that say nothing and change what stands around them: terminals obey control characters, and bidirectional ones turn
 *  text about. Names and labels may not hold them; where older text or a runner's own words do, they are shown by their codes. */

/** Cc, Zl, Zp and what changes direction; by their codes, since the API's document has the pattern, and not all that read it know
 *  categories. */
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069'
const control = new RegExp(`[${CONTROLS}]`, 'gu')
/** Text without any. */
export const plainText = new RegExp(`^[^${CONTROLS}]*$`, 'u')

/** Besides, what has no shape of its own: format characters (Cf), private use (Co). Halves of pairs (Cs) are not
 *  among it: few engines let a pattern name them. */
const SHAPELESS =
  '\\u00ad\\u0600-\\u0605\\u06dd\\u070f\\u0890-\\u0891\\u08e2\\u180e\\u200b-\\u200d\\u2060-\\u2064\\u206a-\\u206f\\ue000-\\uf8ff\\ufeff\\ufff9-\\ufffb'
/** Text that is all there to see, and some. */
export const printable = new RegExp(`^[^${CONTROLS}${SHAPELESS}]+$`, 'u')

/** As JSON writes it: `\u001b`. */
const code = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`

/** Control characters by their codes, but for tabs and line feeds. */
export const visible = (text: string): string =>
  text.replace(control, (found) => (found === '\n' || found === '\t' ? found : code(found)))

/** Line feeds and tabs too: for what has one line only. */
export const visibleInLine = (text: string): string => text.replace(control, code)
