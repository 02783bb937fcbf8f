/** The colours of pages: contrast in both themes, and marks that can be told apart. */
import { describe, expect, test } from 'vitest'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { markOf } from '../../worker/views/charts/marks.ts'
import { dark, light, type Token } from '../../worker/views/tokens.ts'

/** Relative luminance by WCAG 2.2. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(a: string, b: string): number {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (lighter! + 0.05) / (darker! + 0.05)
}

const text: Token[] = ['text', 'muted', 'link', 'visited', 'ok', 'warn', 'failed', 'below', 'above']
const marks: Token[] = ['border', 'mark-0', 'mark-1', 'mark-2', 'mark-3', 'mark-4', 'mark-5']
const tinted: [Token, Token][] = [
  ['ok', 'tint-ok'],
  ['failed', 'tint-failed'],
  ['link', 'tint-running'],
  ['muted', 'tint-neutral'],
  ['text', 'tint-failed'],
  ['text', 'tint-running'],
  ['text', 'tint-warn'],
]

test('black on white is 21 to 1', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
})

describe.each([
  ['light', light],
  ['dark', dark],
] as const)('in the %s theme', (_, colours) => {
  test.each(text)('%s is readable on page and surface', (token) => {
    for (const ground of [colours.page, colours.surface]) {
      expect(contrast(colours[token], ground)).toBeGreaterThanOrEqual(4.5)
    }
  })
  test.each(marks)('%s stands out from page and surface', (token) => {
    for (const ground of [colours.page, colours.surface]) {
      expect(contrast(colours[token], ground)).toBeGreaterThanOrEqual(3)
    }
  })
  test.each(tinted)('%s is readable on %s', (token, ground) => {
    expect(contrast(colours[token], colours[ground])).toBeGreaterThanOrEqual(4.5)
  })
})

test('methods of this repository differ in colour or shape', () => {
  const alike = Map.groupBy(methods.keys(), (method) => JSON.stringify(markOf(method)))
  // A method that looks like another needs a `mark` of its own.
  expect([...alike.values()].filter(({ length }) => length > 1)).toEqual([])
})
