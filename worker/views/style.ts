/** The stylesheet: the colours of both themes, then style.css. */
import rules from './style.css'
import { customProperties, dark, light } from './tokens.ts'

export const stylesheet = [
  `:root{${customProperties(light)}}`,
  `@media (prefers-color-scheme:dark){:root{${customProperties(dark)}}}`,
  rules,
].join('\n')

/** Changes with the stylesheet, so that browsers may keep each version for good. */
export const styleVersion = [...stylesheet]
  .reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7)
  .toString(36)
