/** Numbers as numpy and safetensors write them: every type that is read, and refusals of every other. */
import { expect, test } from 'vitest'
import { readArrays } from '../../runner/formats/arrays.ts'
import { decoders } from '../../runner/formats/numbers.ts'
import { goldenBytes } from './golden.ts'

const evidence = (name: string) => readArrays(goldenBytes(`evidence/${name}`))

test.each(['float16-compressed.npz', 'float64-columns.npz', 'float16.safetensors', 'float64.safetensors'])(
  '%s holds the numbers of float32.npz, whatever their type and order',
  (name) => {
    const [plain, other] = [evidence('float32.npz'), evidence(name)]
    expect(other.arrays.size).toBe(6)
    for (const [key, { shape, data }] of other.arrays) {
      const expected = plain.arrays.get(key.replace('_', '.'))!
      expect(shape).toEqual(expected.shape)
      expect(Array.from(data as ArrayLike<number | bigint>, Number)).toEqual(
        Array.from(expected.data as ArrayLike<number | bigint>, Number),
      )
    }
    expect(other.facts.get('forgottenClass')).toBe('1')
  },
)

test('strings and numbers given to savez are facts', () => {
  const { facts, arrays } = evidence('samples.npz')
  expect(facts.get('extractor.id')).toBe('inception-v3-pool3')
  expect(facts.get('judge.testAccuracy')).toBe('93.5')
  expect([...arrays.keys()].sort()).toEqual(['features', 'judge_logits', 'labels'])
})

test('half precision is read exactly: subnormal, largest, infinite, none', () => {
  const half = (...bits: number[]) => [...decoders.numpy['<f2'](Uint16Array.from(bits).buffer as ArrayBuffer)]
  expect(half(0x3c00, 0xc000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00)).toEqual([
    1,
    -2,
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    65504,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ])
  const brain = [...decoders.safetensors.BF16(Uint16Array.from([0x3f80, 0xc049, 0x7f80]).buffer as ArrayBuffer)]
  expect(brain).toEqual([1, -3.140625, Number.POSITIVE_INFINITY])
})

test.each([
  ['objects.npz', 'forget.logits: expected one of <f2'],
  ['objects.npz', 'these are Python objects: save plain arrays'],
  ['big-endian.npz', 'got >f4'],
])('%s is refused: %s', (name, message) => {
  expect(() => evidence(name)).toThrow(message)
})

test('an archive that is cut off or damaged is refused, wherever', () => {
  const whole = goldenBytes('evidence/float16-compressed.npz')
  for (let end = 2; end < whole.length; end += 37) {
    expect(() => readArrays(whole.slice(0, end)), `${end} bytes`).toThrow(/expected/)
  }
  const turned = whole.slice()
  turned.fill(0xff, 100, 160)
  expect(() => readArrays(turned)).toThrow(/expected/)
})
