/** Whether a stored file is the safetensors that it should be. */
import { describe, expect, test } from 'vitest'
import { type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import type { TensorShapes } from '../../runner/science/task.ts'
import { tensorProblem } from '../../worker/queries/results/check-tensors.ts'

describe('a stored file', () => {
  const floats = (...data: number[]): Tensor => ({ dtype: 'F32', shape: [data.length], data: Float32Array.from(data) })
  const whole = (tensors: Record<string, Tensor>) => writeSafetensors(new Map(Object.entries(tensors)))
  /** With a header that ends anywhere, as other software writes it, so that numbers lie across the pieces of a stream. */
  const shifted = (bytes: Uint8Array, by: number) => {
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    const more = new Uint8Array(bytes.length + by).fill(32)
    more.set(bytes.subarray(0, 8 + length))
    more.set(bytes.subarray(8 + length), 8 + length + by)
    new DataView(more.buffer).setBigUint64(0, BigInt(length + by), true)
    return more
  }
  /** Gives a file in pieces of so many bytes. */
  const bucket = (bytes: Uint8Array<ArrayBuffer>, piece: number) =>
    ({
      get: async (_: string, { range: { offset, length } }: { range: { offset: number; length: number } }) => {
        const part = bytes.slice(offset, offset + length)
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            for (let at = 0; at < length; at += piece) controller.enqueue(part.slice(at, at + piece))
            controller.close()
          },
        })
        return { body, arrayBuffer: async () => part.buffer }
      },
    }) as unknown as R2Bucket
  const check = (bytes: Uint8Array<ArrayBuffer>, piece: number, expected: TensorShapes | null = null) =>
    tensorProblem(bucket(bytes, piece), { path: '', bytes: bytes.length }, expected)

  test.each([1, 2, 3, 5, 7, 4096])('is found to hold a number that is none, in pieces of %i bytes', async (piece) => {
    for (const by of [0, 1, 2, 3]) {
      for (const [at, bad] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].entries()) {
        const good = [1.5, -3.4028234663852886e38, 1e-45, 0]
        const file = (data: number[]) => shifted(whole({ a: floats(1, 2, 3), b: floats(...data) }), by)
        expect(await check(file(good), piece)).toBeNull()
        const found = await check(file(good.with(at, bad)), piece)
        expect(found).toBe(`expected finite numbers, got another in b (entry ${at})`)
      }
    }
  })

  test('may hold any bytes where they are no floats', async () => {
    const bytes: Tensor = { dtype: 'U8', shape: [8], data: new Uint8Array(8).fill(255) }
    expect(await check(whole({ bytes }), 3)).toBeNull()
  })

  test('has the tensors that are expected, each in its shape, where a size may be left open', async () => {
    const file = whole({ a: floats(1, 2) })
    const a = (shape: (number | null)[]) => ({ a: { dtype: 'F32', shape } }) as const
    expect(await check(file, 64, a([2]))).toBeNull()
    expect(await check(file, 64, a([null]))).toBeNull()
    expect(await check(file, 64, a([null, 1]))).toBe('expected a as F32 [*, 1], got F32 [2]')
    expect(await check(file, 64, { a: { dtype: 'U8', shape: [2] } })).toBe('expected a as U8 [2], got F32 [2]')
    expect(await check(file, 64, {})).toBe('expected 0 tensors, got a as well')
    const many = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e'].map((name) => [name, { dtype: 'F32', shape: [] } as const]),
    )
    expect(await check(file, 64, many)).toBe('expected the tensor b, c, d and 1 more, got none')
  })

  test.each(['', '{}', 'not a model', '\0'.repeat(8)])('that is %j is none', async (text) => {
    await expect(check(new Uint8Array(new TextEncoder().encode(text)), 64)).rejects.toMatchObject({
      name: 'SafetensorsError',
    })
  })
})
