/** ONNX's own test cases of single nodes, as test/golden/onnx-node/make.py packed them. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Attribute } from '../../runner/engine/onnx/graph.ts'
import { arrays, type ElementType, type Shape, sizeOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'

interface Packed {
  name: string
  type: ElementType
  shape: Shape
}
type PackedAttribute = { kind: 'tensor'; value: Packed } | Exclude<Attribute, { kind: 'tensor' }>
interface PackedCase {
  name: string
  opset: number
  node: { op: string; attributes: Record<string, PackedAttribute>; inputs: string[]; outputs: string[] }
  inputs: Packed[]
  outputs: Packed[]
}

export interface NodeCase {
  name: string
  op: string
  opset: number
  attributes: Record<string, Attribute>
  /** In the order of the node; null where it has none. */
  inputs: (Tensor | null)[]
  outputs: (Tensor | null)[]
}

export interface NodeCases {
  /** Version of the package that they are from. */
  onnx: string
  cases: NodeCase[]
  /** Cases that the package has beside these, and what kept each out. */
  left: { name: string; op: string; reason: string }[]
}

const folder = new URL('../golden/onnx-node/', import.meta.url)

export function nodeCases(): NodeCases {
  const bytes = gunzipSync(readFileSync(new URL('cases.bin.gz', folder)))
  const length = bytes.readUInt32LE(0)
  const { onnx, cases, left } = JSON.parse(bytes.toString('utf8', 4, 4 + length))
  let offset = 4 + length
  const next = ({ type, shape }: Packed): Tensor => {
    const array = arrays[type]
    const size = sizeOf(shape) * array.BYTES_PER_ELEMENT
    const own = new Uint8Array(bytes.subarray(offset, offset + size))
    offset += size
    return tensor(type, shape, new array(own.buffer))
  }
  const unpacked = ({ name, opset, node, inputs, outputs }: PackedCase): NodeCase => {
    const attributes = Object.entries(node.attributes).map(([key, attribute]) => [
      key,
      attribute.kind === 'tensor' ? { ...attribute, value: next(attribute.value) } : attribute,
    ])
    const named = new Map([...inputs, ...outputs].map((packed) => [packed.name, next(packed)]))
    const inOrder = (names: string[]) => names.map((own) => named.get(own) ?? null)
    return {
      name,
      op: node.op,
      opset,
      attributes: Object.fromEntries(attributes),
      inputs: inOrder(node.inputs),
      outputs: inOrder(node.outputs),
    }
  }
  return { onnx, left, cases: cases.map(unpacked) }
}
