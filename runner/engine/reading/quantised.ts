/** Weights that are stored in few bits train in float32, and so does what the file rounds on its way: training has no steps. */
import { at } from '../onnx/arity.ts'
import { normalAxis } from '../onnx/geometry.ts'
import { numberOf } from '../onnx/graph.ts'
import { numbersOf, type Tensor, tensor } from '../onnx/tensor.ts'
import type { FileNode, Pass } from './file-model.ts'
import { copied } from './inline.ts'
import { freshNames } from './names.ts'

const ROUNDED =
  'it rounds to more than 8 bits, with a scale for each channel, or for an op in between; export the model before it is quantised'
const RANGES: Record<string, [number, number]> = { uint8: [0, 255], int8: [-128, 127] }

const attributeOf = ({ attributes }: FileNode, name: string, fallback: number) =>
  numberOf({ attributes }, name, fallback)

export const dequantised: Pass = (model, { decide }) => {
  const constants = new Map(model.constants)
  const fresh = freshNames(model)
  const rounding = new Map<string, FileNode>()
  let [weights, activations] = [0, 0]

  /** QuantizeLinear, then DequantizeLinear: all that stays is that values end where the few bits do. */
  function bounded(node: FileNode, { inputs }: FileNode): FileNode {
    const [x = '', scaleName = '', zeroName = ''] = inputs
    if (constants.has(x)) return copied(x, at(node.outputs, 0))
    const [scale, zero] = [constants.get(scaleName), constants.get(zeroName)]
    const range = RANGES[zero?.type ?? 'uint8']
    if (scale?.data.length !== 1 || !range) return { ...node, unusable: ROUNDED }
    activations++
    const ends = range.map((end) => (end - (zero ? at(numbersOf(zero), 0) : 0)) * at(numbersOf(scale), 0))
    const names = ends.map((end) => {
      const name = fresh(`${node.name}.end`)
      constants.set(name, tensor('float32', [], Float32Array.of(end)))
      return name
    })
    return { op: 'Clip', name: node.name, inputs: [x, ...names], outputs: node.outputs, attributes: {} }
  }

  const nodes = model.nodes.flatMap((node): FileNode[] => {
    const [[x = '', scale = '', zero = ''], [output = '']] = [node.inputs, node.outputs]
    if (node.domain) return [node]
    if (node.op === 'QuantizeLinear') {
      rounding.set(output, node)
      return [{ ...node, unusable: ROUNDED }]
    }
    if (node.op !== 'DequantizeLinear') return [node]
    const [content, factors] = [constants.get(x), constants.get(scale)]
    if (content && factors) {
      weights++
      constants.set(output, inFull(node, content, factors, constants.get(zero)))
      return []
    }
    const source = rounding.get(x)
    return [source ? bounded(node, source) : { ...node, unusable: ROUNDED }]
  })
  if (weights > 0)
    decide(`weights are stored in few bits and train in float32 (${weights} DequantizeLinear of weights)`)
  if (activations > 0) {
    decide(
      `the file rounds what it computes to 8 bits (${activations} times); here only the range stays, so that answers differ a little from the file's`,
    )
  }
  // What nothing takes any more goes, so that nobody asks what it is.
  const used = new Set([...model.outputs, ...nodes.flatMap(({ inputs }) => inputs)])
  const kept = nodes.filter(({ op, outputs }) => op !== 'QuantizeLinear' || used.has(outputs[0] ?? ''))
  const needed = new Set([...model.outputs, ...kept.flatMap(({ inputs }) => inputs)])
  for (const { op, inputs } of model.nodes)
    if (/^(De)?[Qq]uantizeLinear$/.test(op)) for (const name of inputs) if (!needed.has(name)) constants.delete(name)
  return { ...model, constants, nodes: kept }
}

/** (x - zero) · scale, with one scale for all, for each index along an axis, or for each block of indices. */
function inFull(node: FileNode, content: Tensor, scale: Tensor, zero: Tensor | undefined): Tensor {
  const { shape } = content
  const axis = normalAxis(attributeOf(node, 'axis', 1), shape.length)
  const block = attributeOf(node, 'block_size', 0)
  const [values, scales, zeros] = [numbersOf(content), numbersOf(scale), zero ? numbersOf(zero) : []]
  const inner = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const along = shape[axis] ?? 1
  const blocks = block > 0 ? Math.ceil(along / block) : along
  const scaleAt = (flat: number) => {
    if (scales.length === 1) return 0
    const index = Math.floor(flat / inner) % along
    if (block === 0) return index
    return (Math.floor(flat / (inner * along)) * blocks + Math.floor(index / block)) * inner + (flat % inner)
  }
  return tensor(
    'float32',
    shape,
    Float32Array.from(values, (value, flat) => (value - (zeros[scaleAt(flat)] ?? 0)) * at(scales, scaleAt(flat))),
  )
}
