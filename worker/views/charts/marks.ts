/** Colour and shape of a method in every chart: fixed per method, never by its place in a table. */
import { methods } from '../../../runner/science/catalogue/catalogue.ts'

const SHAPES = 6

/** SVG paths of marks about 10 px wide, centred on 0,0: circle, square, triangle up, diamond, triangle down, cross. */
const paths = [
  'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z',
  'M-4.5 -4.5h9v9h-9Z',
  'M0 -5.5L5.5 4.5h-11Z',
  'M0 -6L6 0L0 6L-6 0Z',
  'M0 5.5L5.5 -4.5h-11Z',
  'M-1.8 -5.4h3.6v3.6h3.6v3.6h-3.6v3.6h-3.6v-3.6h-3.6v-3.6h3.6Z',
]

/** Index of a method: its own, or one that follows from its name. */
function indexOf(method: string): number {
  const own = methods.get(method)?.mark
  if (own !== undefined) return own
  return [...method].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 36, 7)
}

/** Of a line among a few, by its place. */
export const markAt = (index: number): { colour: string; path: string } => ({
  colour: `var(--mark-${index % SHAPES})`,
  path: paths[index % SHAPES]!,
})

/** Beyond six methods the colours repeat with another shape: 36 pairs. */
export function markOf(method: string): { colour: string; path: string } {
  const index = indexOf(method)
  const shape = (index + Math.floor(index / SHAPES)) % SHAPES
  return { colour: `var(--mark-${index % SHAPES})`, path: paths[shape]! }
}
