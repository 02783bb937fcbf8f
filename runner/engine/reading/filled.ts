/** Weights that a file does not hold but makes, all entries equal: so files are kept small whose weights don't matter. */
import { arrays, numbersOf, sizeOf, type Tensor, tensor } from '../onnx/tensor.ts'
import type { FileNode, Pass } from './file-model.ts'

/** Numbers that are made altogether; a few bytes can ask for any. */
const MOST = 2 ** 28

/** Inputs that are weights. Where the first of these is held by the file, a filled one beside it stands for none: exporters write
 *  zeros as the bias of a layer without. */
const WEIGHTS: Record<string, readonly number[]> = {
  BatchNormalization: [1, 2, 3, 4],
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [1],
}

export const withFilledWeights: Pass = (model, { decide }) => {
  const constants = new Map(model.constants)
  const makers = new Map(
    model.nodes.flatMap((node) =>
      node.op === 'ConstantOfShape' && !node.domain && constants.has(node.inputs[0] ?? '')
        ? [[node.outputs[0] ?? '', node] as const]
        : [],
    ),
  )
  const made = new Set<string>()
  let room = MOST
  for (const { op, domain, inputs } of makers.size > 0 ? model.nodes : []) {
    const [first, ...rest] = domain ? [] : (WEIGHTS[op] ?? []).map((index) => inputs[index] ?? '')
    if (first === undefined || !makers.has(first)) continue
    for (const name of [first, ...rest]) {
      const maker = makers.get(name)
      const content = maker && !made.has(name) && filled(maker, constants.get(maker.inputs[0] ?? ''), room)
      if (!content) continue
      room -= content.data.length
      constants.set(name, content)
      made.add(name)
    }
  }
  if (made.size === 0) return model
  decide(`the file makes ${made.size} weights by ConstantOfShape, all entries of each equal; they begin with that`)
  return { ...model, constants, nodes: model.nodes.filter(({ outputs }) => !made.has(outputs[0] ?? '')) }
}

function filled({ attributes }: FileNode, shape: Tensor | undefined, room: number): Tensor | undefined {
  const extents = shape ? numbersOf(shape) : []
  const filler = attributes.value?.kind === 'tensor' ? attributes.value.value : undefined
  const fits = extents.every((extent) => extent > 0) && sizeOf(extents) <= room
  if (!fits || (filler && (filler.type !== 'float32' || filler.data.length !== 1))) return undefined
  return tensor('float32', extents, new arrays.float32(sizeOf(extents)).fill(Number(filler?.data[0] ?? 0)))
}
