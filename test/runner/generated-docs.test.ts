/** What `npm run docs` writes: the drawing of the rooms, and the tables of FEATURES.md. That they are up to date is for
 *  `npm run check` to say. */
import { expect, test } from 'vitest'
import { none, tableOf, wanted } from '../../scripts/features.ts'
import { draw } from '../../scripts/rooms.ts'

const house = {
  'a/top': { folders: ['a/middle', 'a/ground'] },
  'a/middle': { folders: ['a/ground'], packages: ['node', 'zod'] },
  'a/ground': {},
  'a/aside': {},
}

interface Box {
  x: number
  y: number
  width: number
  height: number
}

const boxesOf = (drawing: string): Box[] =>
  Array.from(drawing.matchAll(/<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/g), (found) => {
    const [x, y, width, height] = found.slice(1).map(Number) as [number, number, number, number]
    return { x, y, width, height }
  })

test('a drawing has each room once, above what it imports, and no two overlap', () => {
  const boxes = boxesOf(draw(house))
  expect(boxes).toHaveLength(4)
  for (const a of boxes) {
    for (const b of boxes) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
      expect(a === b || apart).toBe(true)
    }
  }
  const topOf = (name: string) => Number(new RegExp(`y="([\\d.]+)">${name}<`).exec(draw(house))![1])
  expect(topOf('a/top')).toBeLessThan(topOf('a/middle'))
  expect(topOf('a/middle')).toBeLessThan(topOf('a/ground'))
})

test('a drawing leaves out arrows that follow from others, and Node among packages', () => {
  const drawing = draw(house)
  expect(Array.from(drawing.matchAll(/<title>(.*?)<\/title>/g), ([, title]) => title)).toEqual([
    'a/middle imports a/ground',
    'a/top imports a/middle',
  ])
  expect(drawing).toContain('>zod<')
})

test('the same lists give the same drawing, in whatever order they stand', () => {
  expect(draw(Object.fromEntries(Object.entries(house).reverse()))).toBe(draw(house))
})

test('lists that run in a circle are refused, not followed for ever', () => {
  expect(() => draw({ a: { folders: ['b'] }, b: { folders: ['a'] } })).toThrow(/import itself/)
})

const rows = [
  { id: 'ft', row: { title: 'FT', classification: wanted, generation: none } },
  { id: 'ga', row: { title: 'GA', classification: wanted, generation: wanted } },
]

test('a table has a line for each member, its facts and its states', () => {
  const faults: string[] = []
  const states = { ft: { classification: 'runs' }, ga: { classification: 'runs', generation: 'tested' } }
  expect(tableOf('methods', rows, states, faults)).toEqual([
    '| id | title | classification | generation |',
    '|---|---|---|---|',
    '| `ft` | FT | runs | |',
    '| `ga` | GA | runs | tested |',
  ])
  expect(faults).toEqual([])
})

test('a member without a state, a state without a member, and one for what is not offered are faults', () => {
  const faults: string[] = []
  const states = {
    ft: { classification: 'runs', generation: 'runs' },
    gone: 'runs',
    ga: { classification: 'runs', speed: 'fast' },
  }
  tableOf('methods', rows, states, faults)
  expect(faults).toEqual([
    expect.stringMatching(/ft: has no generation/),
    expect.stringMatching(/ga: expected a word or sentence for "generation"/),
    expect.stringMatching(/ga: there is no column "speed"/),
    expect.stringMatching(/there is no gone/),
  ])
})
