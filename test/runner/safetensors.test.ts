/** Safetensors, against files of the reference library (test/golden/safetensors). */
import { describe, expect, test } from 'vitest'
import { readSafetensors, type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { decodeEvidence, encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { goldenBytes } from './golden.ts'

/** What test/golden/safetensors/make.py wrote. */
const example = new Map<string, Tensor>([
  ['scalar', { dtype: 'I32', shape: [], data: Int32Array.of(9) }],
  ['weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(0.5, -1.25, 3, 1e-8, 65504, -0) }],
  ['labels', { dtype: 'U8', shape: [3], data: Uint8Array.of(3, 1, 2) }],
  ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array() }],
  ['steps', { dtype: 'I64', shape: [2], data: BigInt64Array.of(2n ** 40n, -1n) }],
  ['order', { dtype: 'I32', shape: [4], data: Int32Array.of(2, 0, 1, -7) }],
  ['bias', { dtype: 'F32', shape: [1], data: Float32Array.of(1.5) }],
])

/** A file from a header and data, by the format's own description. */
function fileOf(header: unknown, data: number[]): Uint8Array {
  const json = typeof header === 'string' ? header : JSON.stringify(header)
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(new TextEncoder().encode(json), 8)
  bytes.set(data, 8 + json.length)
  return bytes
}

describe('safetensors', () => {
  test('files of the reference library are read', () => {
    const { tensors, metadata } = readSafetensors(goldenBytes('safetensors/example.safetensors'))
    expect(new Map([...tensors].sort())).toEqual(new Map([...example].sort()))
    expect(metadata).toEqual({ classes: '10' })
  })

  test('what is written has the very bytes of the reference library', () => {
    const bytes = writeSafetensors(example, { classes: '10' })
    expect(Buffer.from(bytes).equals(goldenBytes('safetensors/example.safetensors'))).toBe(true)
  })

  test('the order in which tensors are given does not matter', () => {
    const reversed = new Map([...example].reverse())
    expect(writeSafetensors(reversed, { b: '1', a: '2' })).toEqual(writeSafetensors(example, { a: '2', b: '1' }))
  })

  test('a view into a larger buffer is written as what it shows', () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3)
    const { tensors } = readSafetensors(writeSafetensors(new Map([['x', { dtype: 'F32', shape: [2], data }]])))
    expect([...tensors.get('x')!.data]).toEqual([1, 2])
  })

  test('a file that starts at an odd offset of its buffer is read', () => {
    const bytes = writeSafetensors(example)
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(readSafetensors(shifted.subarray(3)).tensors.get('bias')!.data[0]).toBe(1.5)
  })

  test('a Buffer, whose slices share its memory, is read like any bytes', () => {
    const bytes = Buffer.concat([Buffer.alloc(5), writeSafetensors(example)]).subarray(5)
    expect([...readSafetensors(bytes).tensors.get('weight')!.data]).toEqual([...example.get('weight')!.data])
  })

  test('a shape that does not fit the data is refused on writing', () => {
    const tensors = new Map<string, Tensor>([['x', { dtype: 'U8', shape: [2, 2], data: new Uint8Array(3) }]])
    expect(() => writeSafetensors(tensors)).toThrow('x: expected 4 entries for [2, 2], got 3')
  })

  const x = (dtype: string, shape: number[], offsets: number[]) => ({ x: { dtype, shape, data_offsets: offsets } })
  test.each([
    ['an empty file', new Uint8Array(), 'expected at least 8 bytes of safetensors, got 0'],
    ['a file cut off in its header', goldenBytes('safetensors/example.safetensors').subarray(0, 100), 'it is cut off'],
    [
      'a file cut off in its data',
      goldenBytes('safetensors/example.safetensors').subarray(0, -1),
      'the file is cut off',
    ],
    ['a header that is no JSON', fileOf('{"x":', []), 'expected a safetensors header'],
    ['a type that is not supported', fileOf(x('F64', [1], [0, 8]), new Array(8).fill(0)), 'x.dtype'],
    ['a negative size', fileOf(x('U8', [-1], [0, 0]), []), 'x.shape'],
    ['data of the wrong length', fileOf(x('F32', [2], [0, 4]), [0, 0, 0, 0]), 'x: expected 8 bytes of F32, got 4'],
    ['a gap before the data', fileOf(x('U8', [1], [1, 2]), [0, 0]), 'x: expected its data at 0, got 1'],
    ['bytes after the data', fileOf(x('U8', [1], [0, 1]), [0, 0]), 'expected 1 bytes of data, got 2'],
    [
      'tensors that overlap',
      fileOf({ ...x('U8', [2], [0, 2]), y: { dtype: 'U8', shape: [2], data_offsets: [1, 3] } }, [0, 0, 0]),
      'y: expected its data at 2, got 1',
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message)
  })
})

describe('evidence', () => {
  const evidence: Evidence = {
    classes: 2,
    forgottenClass: 1,
    forget: { logits: Float32Array.of(1, 2, 3, 4), labels: Uint8Array.of(0, 1) },
    retain: { logits: Float32Array.of(5, 6), labels: Uint8Array.of(1) },
    test: { logits: Float32Array.of(), labels: Uint8Array.of() },
  }

  test('comes back as it was', () => {
    expect(decodeEvidence(encodeEvidence(evidence))).toEqual(evidence)
    expect(decodeEvidence(encodeEvidence({ ...evidence, forgottenClass: null })).forgottenClass).toBeNull()
  })

  test('lies in tensors that any safetensors reader can open', () => {
    const { tensors, metadata } = readSafetensors(encodeEvidence(evidence))
    const names = 'forget.labels forget.logits retain.labels retain.logits test.labels test.logits'
    expect([...tensors.keys()].sort().join(' ')).toBe(names)
    expect(tensors.get('forget.logits')!.shape).toEqual([2, 2])
    expect(metadata).toEqual({ classes: '2', forgottenClass: '1' })
  })

  test('a file without logits is refused', () => {
    expect(() => decodeEvidence(writeSafetensors(new Map(), { classes: '2' }))).toThrow('expected forget.logits of F32')
  })

  test('a file without the number of classes is refused', () => {
    expect(() => decodeEvidence(writeSafetensors(new Map()))).toThrow(
      'expected a number as the metadata classes, got none',
    )
  })

  test('logits of another number of examples are refused', () => {
    const { tensors, metadata } = readSafetensors(encodeEvidence(evidence))
    tensors.set('retain.labels', { dtype: 'U8', shape: [2], data: Uint8Array.of(0, 1) })
    expect(() => decodeEvidence(writeSafetensors(tensors, metadata))).toThrow(
      'expected retain.logits of shape [2, 2], got [1, 2]',
    )
  })
  test('a forgotten class that is none of the classes is refused', () => {
    const { tensors, metadata } = readSafetensors(encodeEvidence(evidence))
    const told = writeSafetensors(tensors, { ...metadata, forgottenClass: '2' })
    expect(() => decodeEvidence(told)).toThrow('expected a forgottenClass below 2, the number of classes, got 2')
  })

  test.each([
    ['I64', (labels: number[]) => ({ dtype: 'I64' as const, data: BigInt64Array.from(labels, BigInt) })],
    ['I32', (labels: number[]) => ({ dtype: 'I32' as const, data: Int32Array.from(labels) })],
  ])('labels of %s are read as what they are, and refused where no byte holds them', (_, typed) => {
    const { tensors, metadata } = readSafetensors(encodeEvidence(evidence))
    const given = (labels: number[]) =>
      writeSafetensors(tensors.set('forget.labels', { shape: [2], ...typed(labels) }), metadata)
    expect(decodeEvidence(given([...evidence.forget.labels]))).toEqual(evidence)
    // 257 would be 1 as a byte, -1 would be 255
    expect(() => decodeEvidence(given([0, 257]))).toThrow('forget.labels from 0 to 255, got 257 (example 1)')
    expect(() => decodeEvidence(given([-1, 0]))).toThrow('forget.labels from 0 to 255, got -1 (example 0)')
  })

  test('a type that is not read is named with the tensor that has it', () => {
    const header = { 'forget.logits': { dtype: 'F16', shape: [1, 2], data_offsets: [0, 4] } }
    expect(() => decodeEvidence(fileOf(header, [0, 0, 0, 0]))).toThrow(
      'forget.logits.dtype: expected F32, I64, I32 or U8, got F16; convert it before it is saved',
    )
  })
})
