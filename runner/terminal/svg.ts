/** Pieces of pictures that are files of their own, and so bring their colours along. */
import { visibleInLine } from '../../schema/parts/controls.ts'
import { px } from '../words/scale.ts'

export const COLOURS = {
  text: '#1a1a1a',
  soft: '#666',
  rule: '#e2e2e2',
  dot: '#0b6bcb',
  best: '#c2410c',
  band: '#a9cf9c',
} as const

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
export const escaped = (words: string): string => visibleInLine(words).replace(/[&<>"]/g, (sign) => ENTITIES[sign]!)

export const text = (x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}" fill="${COLOURS.soft}">${escaped(words)}</text>`

/** The whole picture, with a line of its own for each part. */
export const picture = (title: string, { width, height }: { width: number; height: number }, parts: string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${COLOURS.text}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="24" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
