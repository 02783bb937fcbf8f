/** How what a verb gave becomes data and comes back from it. */
import type { Tensor as StoredTensor } from '../../formats/safetensors.ts'
import type { Outcome } from './half-done.ts'

export interface Codec<T> {
  to(value: T): Outcome
  from(outcome: Outcome): T
}

const noTensors: ReadonlyMap<string, StoredTensor> = new Map()

/** Of a verb that gives nothing, or numbers. */
export const asJson = <T>(): Codec<T> => ({
  to: (value) => ({ value, tensors: noTensors }),
  from: ({ value }) => value as T,
})

type Kind = 'F32' | 'U8'

export const stored = (dtype: Kind, data: Float32Array | Uint8Array): StoredTensor =>
  ({ dtype, shape: [data.length], data }) as StoredTensor

/** Of arrays by name: weights, masks, images. */
export const asArrays = <T extends Float32Array | Uint8Array>(dtype: Kind): Codec<ReadonlyMap<string, T>> => ({
  to: (arrays) => ({
    value: null,
    tensors: new Map([...arrays].map(([name, data]) => [name, stored(dtype, data)])),
  }),
  from: ({ tensors }) => new Map([...tensors].map(([name, { data }]) => [name, data as T])),
})

/** Of one array of numbers. */
export const asFloats: Codec<Float32Array> = {
  to: (data) => ({ value: null, tensors: new Map([['values', stored('F32', data)]]) }),
  from: ({ tensors }) => tensors.get('values')!.data as Float32Array,
}
