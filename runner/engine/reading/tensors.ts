/** Tensors of a file: held against their shapes, in the types that graphs have, from the file itself or one beside it. */
import type proto from 'onnx-proto'
import { sizeOf, type Tensor, tensor } from '../onnx/tensor.ts'
import { shown } from './refusal.ts'
import { type StoredType, storedType } from './stored-types.ts'

type TensorProto = InstanceType<typeof proto.onnx.TensorProto>
const EXTERNAL = 1
const MOST_AXES = 16

/** What tensors are read with. */
export interface TensorSource {
  /** The bytes of a file beside the model. */
  external(location: string): Uint8Array
  /** Notes a type that is stored otherwise than it is computed with. */
  converted(from: string): void
}

export function tensorFrom(source: TensorProto, { external, converted }: TensorSource, name = source.name): Tensor {
  const what = `the tensor ${shown(name)}`
  const stored = storedType(source.dataType, what)
  const shape = source.dims.map(Number)
  const impossible = shape.some((extent) => !Number.isSafeInteger(extent) || extent < 0)
  if (impossible || shape.length > MOST_AXES || !Number.isSafeInteger(sizeOf(shape)))
    throw new Error(
      `${what} has the shape [${shape.slice(0, MOST_AXES)}], which no tensor can have; the file is damaged`,
    )
  const { raw, field, convert, type } = stored
  const bytes = Number(source.dataLocation) === EXTERNAL ? outside(source, what, external) : source.rawData
  const numbers = source[field]
  const count = bytes.length > 0 ? bytes.length / raw.BYTES_PER_ELEMENT : numbers.length
  if (count !== sizeOf(shape)) {
    throw new Error(
      `${what} of the shape [${shape}] needs ${sizeOf(shape)} numbers of ${stored.name}, but has ${count}; the file is damaged`,
    )
  }
  if (type !== stored.name && type.startsWith('float')) converted(stored.name)
  const content = bytes.length > 0 ? over(bytes, stored, count) : fromField(numbers, stored)
  return tensor(type, shape, convert ? convert(content) : (content as Tensor['data']))
}

/** In place where the bytes are aligned for it, since weights can be large. */
function over(bytes: Uint8Array, { raw }: StoredType, count: number) {
  if (bytes.byteOffset % raw.BYTES_PER_ELEMENT === 0) return new raw(bytes.buffer, bytes.byteOffset, count)
  return new raw(new Uint8Array(bytes).buffer, 0, count)
}

function fromField(entries: readonly unknown[], { field, raw }: StoredType) {
  if (!field.endsWith('64Data')) return raw.from(entries as number[])
  const exact = entries.map((entry) => BigInt(`${entry}`))
  return raw.from(raw.BYTES_PER_ELEMENT === 8 ? exact : exact.map(Number))
}

/** The part of a file beside the model that holds a tensor. */
function outside({ externalData }: TensorProto, what: string, external: TensorSource['external']): Uint8Array {
  const entry = (key: string) => externalData.find((entry) => entry.key === key)?.value ?? undefined
  const location = entry('location') ?? ''
  const parts = location.split(/[/\\]/)
  // A drive's letter is a path of its own on Windows.
  if (parts.includes('..') || !parts[0] || /^[a-z]:/i.test(location) || location.includes('\0')) {
    throw new Error(
      `${what} is said to lie in ${shown(location)}; expected a file in the model's own folder, and no other is read`,
    )
  }
  const whole = external(location)
  const number = (key: string, fallback: number) => {
    const text = entry(key)
    if (text === undefined || text === '') return fallback
    if (!/^\d{1,15}$/.test(text))
      throw new Error(`${what} has the ${key} ${shown(text)} in ${shown(location)}; expected a number`)
    return Number(text)
  }
  const offset = number('offset', 0)
  const length = number('length', Math.max(0, whole.length - offset))
  if (offset + length > whole.length) {
    throw new Error(
      `${what} takes ${length} bytes from ${offset} of ${shown(location)}, which has ${whole.length}; is it the file that was exported with this model?`,
    )
  }
  return whole.subarray(offset, offset + length)
}
