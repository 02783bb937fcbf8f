/** How the training images are split into forget, retain and held-out sets. */
import { expect, test } from 'vitest'
import { splitOf } from '../../runner/stages/split.ts'

/** 1,000 images in 10 classes of 100. */
const classes = [...'abcdefghij']
const labels = Uint8Array.from({ length: 1000 }, (_, i) => i % 10)
const random = (fraction: number) => ({ kind: 'random', fraction }) as const
const sorted = (items: Int32Array) => Array.from(items).sort((a, b) => a - b)

test('a random request forgets a tenth, and D_f and D_r together are D', () => {
  const { all, forget, retain } = splitOf(labels, classes, { holdOut: 0, request: random(0.1), seed: 0 })
  expect([all.length, forget.length, retain.length]).toEqual([1000, 100, 900])
  expect(sorted(Int32Array.of(...forget, ...retain))).toEqual([...all])
})

test('another seed forgets other images, the same seed the same', () => {
  const forgetOf = (seed: number) => [...splitOf(labels, classes, { holdOut: 0, request: random(0.1), seed }).forget]
  expect(forgetOf(1)).toEqual(forgetOf(1))
  expect(forgetOf(1)).not.toEqual(forgetOf(2))
})

test('the held-out share is a tenth of every class, and neither forgotten nor retained', () => {
  const { all, forget, retain } = splitOf(labels, classes, { holdOut: 0.1, request: random(0.5), seed: 0 })
  expect([all.length, forget.length, retain.length]).toEqual([900, 450, 450])
  for (let label = 0; label < 10; label++) expect(all.filter((item) => labels[item] === label).length).toBe(90)
})

test('D does not depend on what is forgotten, so every request shares one original', () => {
  const allOf = (request: Parameters<typeof splitOf>[2]['request']) => [
    ...splitOf(labels, classes, { holdOut: 0.1, request, seed: 4 }).all,
  ]
  expect(allOf(random(0.1))).toEqual(allOf({ kind: 'class', label: 3 }))
})

test('a class-wise request forgets every image of the class', () => {
  const { forget, retain } = splitOf(labels, classes, { holdOut: 0, request: { kind: 'class', label: 3 }, seed: 0 })
  expect(forget.length).toBe(100)
  expect(forget.every((item) => labels[item] === 3)).toBe(true)
  expect(retain.some((item) => labels[item] === 3)).toBe(false)
})

test('a class that the dataset does not have is refused with those it has', () => {
  expect(() => splitOf(labels, classes, { holdOut: 0, request: { kind: 'class', label: 10 }, seed: 0 })).toThrow(
    'class 10, but the dataset has classes 0 to 9: 0 (a), 1 (b), 2 (c)',
  )
})

test('a request that forgets no image is refused', () => {
  expect(() => splitOf(labels.subarray(0, 5), classes, { holdOut: 0, request: random(0.1), seed: 0 })).toThrow(
    '0 to forget and 5 to retain',
  )
})

const forgetOf = (
  request: Parameters<typeof splitOf>[2]['request'],
  more: { holdOut?: number; list?: Int32Array } = {},
) => [...splitOf(labels, classes, { holdOut: 0, seed: 0, request, ...more }).forget]
const items = (count: number) => ({ kind: 'items', sha256: 'a'.repeat(64), count }) as const

test('a number of images is the share that it is', () => {
  expect(forgetOf({ kind: 'random', count: 100 })).toEqual(forgetOf(random(0.1)))
  expect(forgetOf({ kind: 'part', label: 3, count: 20 })).toEqual(forgetOf({ kind: 'part', label: 3, fraction: 0.2 }))
})

test('several classes go whole, of a part of one only so many images', () => {
  const several = forgetOf({ kind: 'classes', labels: [1, 4] })
  expect(several).toEqual([...labels.keys()].filter((item) => item % 10 === 1 || item % 10 === 4))
  const part = forgetOf({ kind: 'part', label: 3, count: 20 }, { holdOut: 0.1 })
  expect(part).toHaveLength(20)
  expect(part.every((item) => labels[item] === 3)).toBe(true)
})

test('a list is D_f as it is, and the same D_f by another request is the same split', () => {
  const list = Int32Array.from(forgetOf(random(0.1)))
  expect(splitOf(labels, classes, { holdOut: 0, request: items(100), seed: 0, list })).toEqual(
    splitOf(labels, classes, { holdOut: 0, request: random(0.1), seed: 0 }),
  )
})

test('a list of another dataset, or of images that are held out, is refused with some of them', () => {
  expect(() => forgetOf(items(2), { list: Int32Array.of(3, 1000) })).toThrow(
    'names the position 1000, but the training set has the positions 0 to 999',
  )
  const { all } = splitOf(labels, classes, { holdOut: 0.1, request: random(0.5), seed: 0 })
  const away = [...labels.keys()].filter((item) => !all.includes(item))
  expect(() => forgetOf(items(2), { holdOut: 0.1, list: Int32Array.of(all[0]!, away[0]!) })).toThrow(
    `names the position ${away[0]}, which training.holdOut keeps out of D for seed 0`,
  )
  expect(() => forgetOf(items(100), { holdOut: 0.1, list: Int32Array.from(away) })).toThrow(
    `names 100 positions, such as ${away.slice(0, 5).join(', ')}, which`,
  )
})

test('more images than there are, and all classes, are refused', () => {
  expect(() => forgetOf({ kind: 'part', label: 3, count: 101 })).toThrow('forgets 101 images, and there are 100')
  expect(() => forgetOf({ kind: 'classes', labels: [...classes.keys()] })).toThrow('forgets all 10 classes')
  expect(() => forgetOf({ kind: 'classes', labels: [1, 10] })).toThrow('class 10, but the dataset has classes 0 to 9')
  expect(() => forgetOf({ kind: 'random', count: 1000 })).toThrow('1000 to forget and 0 to retain')
})
