/** The images on their way in: the engine has them as float32 [batch, channels, height, width] with pixels in [0, 1]. */
import { dataTypeOf } from '../onnx/element-types.ts'
import { int, ints } from '../onnx/graph.ts'
import { type ElementType, floats } from '../onnx/tensor.ts'
import { openAxis } from './build.ts'
import type { FileInput, FileModel, FileNode, Pass } from './file-model.ts'
import { freshNames } from './names.ts'
import { listed, shown } from './refusal.ts'

const TO_CHANNELS_LAST = [0, 2, 3, 1]
const TO_CHANNELS_FIRST = [0, 3, 1, 2]
/** Types of pixels from 0 to 255. */
const BYTES: readonly ElementType[] = ['uint8', 'int32', 'int64']

/** Gives the model one input of known extents, float32 and with channels first. */
export const withImages: Pass = (model, { options, decide }) => {
  const [input, ...more] = model.inputs
  if (!input || more.length > 0)
    throw new Error(
      `expected one input, the images; the logits need ${model.inputs.length}: ${listed(model.inputs.map(({ name }) => name))}`,
    )
  const shape = extentsOf(input, options.shape)
  const known = { ...model, inputs: [{ ...input, shape }] }
  const fresh = freshNames(known)
  const steps: FileNode[] = []
  let name = input.name
  const before = (op: string, attributes: FileNode['attributes'], more: string[] = []) => {
    const from = fresh(`${input.name} as ${op === 'Transpose' ? 'channels first' : 'pixels'}`)
    steps.unshift({ op, name: from, inputs: [from, ...more], outputs: [name], attributes })
    name = from
  }
  const constants = new Map(known.constants)
  if (BYTES.includes(input.type)) {
    const most = fresh('largest pixel')
    constants.set(most, floats([], [255]))
    before('Cast', { to: int(dataTypeOf(input.type)) })
    before('Round', {})
    before('Mul', {}, [most])
    decide(`input ${shown(input.name)} takes ${input.type}: it is given pixels from 0 to 255`)
  } else if (input.type !== 'float32') {
    if (!input.type.startsWith('float'))
      throw new Error(
        `input ${shown(input.name)} takes ${input.type}; expected images as floats or as pixels from 0 to 255`,
      )
    before('Cast', { to: int(dataTypeOf(input.type)) })
  }
  const last = channelsLast(known, shape)
  if (last) {
    before('Transpose', { perm: ints(TO_CHANNELS_LAST) })
    decide(`input ${shown(input.name)} has its channels last, [${shape.slice(1)}]: images are transposed on the way in`)
  }
  const [batch, height, width, channels] = shape
  const ours = last ? [batch ?? null, channels ?? null, height ?? null, width ?? null] : shape
  return { ...known, constants, inputs: [{ name, type: 'float32', shape: ours }], nodes: [...steps, ...known.nodes] }
}

/** [batch, ...example] with all but the batch known. */
function extentsOf({ name, shape }: FileInput, asked: readonly number[] | undefined): (number | null)[] {
  const [batch = null, ...example] = shape
  if (asked) {
    const fits = asked.length === example.length && example.every((extent, i) => extent === null || extent === asked[i])
    if (!fits && shape.length > 0)
      throw new Error(
        `input ${shown(name)} takes examples of [${example.map((extent) => extent ?? 'any')}], got the shape [${asked}]`,
      )
    return [batch, ...asked]
  }
  const open = example.indexOf(null)
  if (shape.length < 2)
    throw new Error(
      `input ${shown(name)} has the shape [${shape.map((extent) => extent ?? 'any')}]; expected [batch, channels, height, width]: give the shape of an example with --shape 3x224x224`,
    )
  if (open >= 0) throw new Error(openAxis(name, open + 1))
  return shape
}

/** Whether images have their channels last: the file takes them to the front, or only the last axis is as short as channels are. */
function channelsLast({ nodes, inputs }: FileModel, shape: readonly (number | null)[]): boolean {
  if (shape.length !== 4) return false
  const name = inputs[0]?.name ?? ''
  const users = nodes.filter(({ inputs }) => inputs.includes(name))
  const isPerm = ({ op, attributes }: FileNode) =>
    op === 'Transpose' && `${attributes.perm?.value}` === `${TO_CHANNELS_FIRST}`
  if (users.length > 0 && users.every(isPerm)) return true
  const few = (extent: number | null | undefined) => extent === 1 || extent === 3 || extent === 4
  return few(shape[3]) && !few(shape[1])
}
