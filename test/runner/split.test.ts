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
