/** Masks as files, bit by bit. */
import { expect, test } from 'vitest'
import { countFree, decodeMask, encodeMask } from '../../runner/formats/mask.ts'
import { writeSafetensors } from '../../runner/formats/safetensors.ts'

const weight = { name: 'fc.weight', shape: [2, 5], entries: Uint8Array.of(1, 0, 1, 1, 0, 0, 0, 1, 1, 0) }
const bias = { name: 'fc.bias', shape: [3], entries: Uint8Array.of(0, 1, 1) }
const shapes = JSON.stringify({ 'fc.weight': [2, 5], 'fc.bias': [3] })

test('a mask is one bit a weight, the first in the lowest bit', () => {
  const bytes = Buffer.from(encodeMask([weight, bias]))
  // By the format's own description, without a reader of ours.
  const header = Number(bytes.readBigUInt64LE())
  const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.toString('utf8', 8, 8 + header))
  expect(metadata).toEqual({ format: 'palimpsest-mask', bitorder: 'little', shapes })
  expect(tensors).toEqual({
    'fc.bias': { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
    'fc.weight': { dtype: 'U8', shape: [2], data_offsets: [1, 3] },
  })
  // 0b110; then 1 + 4 + 8 + 128, and the ninth entry alone.
  expect([...bytes.subarray(8 + header)]).toEqual([6, 141, 1])
})

test('it reads back, and its ones are counted: 5 of 10 and 2 of 3', () => {
  const bytes = encodeMask([weight, bias])
  expect(decodeMask(bytes)).toEqual([weight, bias])
  expect(countFree(bytes)).toEqual({ free: 7, total: 13 })
})

const fileOf = (bytes: number[], metadata: Record<string, string>) =>
  writeSafetensors(
    new Map([['fc.bias', { dtype: 'U8', shape: [bytes.length], data: Uint8Array.from(bytes) }]]),
    metadata,
  )
const named = { format: 'palimpsest-mask', bitorder: 'little' }

test.each([
  ['weights', fileOf([6], { format: 'palimpsest' }), /expected a mask .* got "palimpsest"/],
  ['bits beyond the last entry', fileOf([14], { ...named, shapes: '{"fc.bias":[3]}' }), /bits are set beyond its 3/],
  ['too few bytes', fileOf([6], { ...named, shapes: '{"fc.bias":[9]}' }), /expected 2 bytes of U8 for \[9\], got 1/],
  ['no tensor', fileOf([6], { ...named, shapes: '{"fc.weight":[3],"fc.bias":[3]}' }), /for \[3\], got nothing/],
  ['no shape', fileOf([6], { ...named, shapes: '{}' }), /fc\.bias: the mask names no shape/],
  ['a shape of words', fileOf([6], { ...named, shapes: '{"fc.bias":"three"}' }), /expected the shapes of a mask/],
])('%s is refused', (_, bytes, message) => {
  expect(() => countFree(bytes)).toThrow(message)
})

test('entries that are not those of the shape are not written', () => {
  expect(() => encodeMask([{ ...bias, shape: [4] }])).toThrow(/fc\.bias: expected 4 entries of a mask for \[4\], got 3/)
})
