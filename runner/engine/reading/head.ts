/** What a file does with the logits after the last layer: probabilities are undone, since a loss starts at the logits. */
import { normalAxis } from '../onnx/geometry.ts'
import { OPSET } from '../onnx/model.ts'
import { sizeOf } from '../onnx/tensor.ts'
import { batchOf, shapeIn, unusable } from './build.ts'
import type { FileModel, FileNode, Pass } from './file-model.ts'
import { freshNames } from './names.ts'
import { shown } from './refusal.ts'

/** Ops that hand the logits on, whatever they do to their shape. */
const PASSING = new Set(['Identity', 'Dropout', 'Cast', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Clip'])
/** Ops that give a class, or several, instead of logits. */
const CHOOSING = new Set([
  'ArgMax',
  'ArgMin',
  'TopK',
  'Hardmax',
  'OneHot',
  'NonZero',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'Round',
])

/** Takes the logits before a softmax at the end, and refuses ends that leave none. */
export const withoutHead: Pass = (model, { decide }) => {
  const producers = new Map(model.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  let name = model.outputs[0]!
  let node = producers.get(name)
  const clip = () => node?.op === 'Clip'
  let clipped = false
  while (node && PASSING.has(node.op)) {
    clipped ||= clip()
    name = node.inputs[0] ?? ''
    node = producers.get(name)
  }
  if (!node) return model
  const before = shown(node.inputs[0] ?? '')
  if (CHOOSING.has(node.op))
    throw unusable(node, `it ends the model and gives no logits; name the tensor before it: --output ${before}`)
  const logits = softmaxed(model, producers, node)
  if (logits !== null) {
    const nodes = model.nodes.map((own) =>
      own === node ? { op: 'Identity', name: own.name, inputs: [logits], outputs: own.outputs, attributes: {} } : own,
    )
    decide(`the logits are taken before ${node.op} (node ${shown(node.name)}), from ${shown(logits)}`)
    return withoutClips({ ...model, nodes }, clipped)
  }
  if (node.op === 'Sigmoid' || node.op === 'HardSigmoid') {
    const { shape } = shapeIn(model, name)
    const count = sizeOf(shape.slice(1))
    throw unusable(
      node,
      count === 1
        ? 'it ends the model with one probability, as binary classifiers do; expected two logits or more, one a class'
        : `it ends the model, so that each of ${count} outputs is a label of its own, and no image has one class; to take them for logits of classes all the same, name the tensor before it: --output ${before}`,
    )
  }
  return model
}

/** A Clip that keeps probabilities off 0 makes no sense behind logits. */
const withoutClips = (model: FileModel, clipped: boolean): FileModel => {
  if (!clipped) return model
  const last = new Set(model.outputs)
  const nodes = [...model.nodes].reverse().map((node) => {
    if (!node.outputs.some((output) => last.has(output)) || !PASSING.has(node.op)) return node
    last.add(node.inputs[0] ?? '')
    return node.op === 'Clip' ? { ...node, op: 'Identity', inputs: node.inputs.slice(0, 1) } : node
  })
  return { ...model, nodes: nodes.reverse() }
}

/** The logits of a softmax over classes, which may be written in parts; null for another op. */
function softmaxed(model: FileModel, producers: ReadonlyMap<string, FileNode>, node: FileNode): string | null {
  const [first = '', second = ''] = node.inputs
  const before = producers.get(first)
  if (node.op === 'Log' && before?.op === 'Softmax') return softmaxed(model, producers, before)
  if (node.op === 'Log' && before?.op === 'Div') return softmaxed(model, producers, before)
  // exp(z) / sum of exp(z), often with the largest z taken off.
  const sum = producers.get(second)
  if (node.op === 'Div' && before?.op === 'Exp' && sum?.op === 'ReduceSum' && sum.inputs[0] === first) {
    const shifted = producers.get(before.inputs[0] ?? '')
    const shift = shifted?.op === 'Sub' && producers.get(shifted.inputs[1] ?? '')
    return shift && shift.op === 'ReduceMax' ? (shifted.inputs[0] ?? null) : (before.inputs[0] ?? null)
  }
  if (node.op !== 'Softmax' && node.op !== 'LogSoftmax') return null
  const { shape } = shapeIn(model, first)
  const older = (node.opset ?? OPSET) < 13
  const axis = normalAxis((node.attributes.axis?.value as number | undefined) ?? (older ? 1 : -1), shape.length)
  // [n, classes], with extents of 1 anywhere.
  const classes = older ? sizeOf(shape.slice(axis)) : shape[axis]
  return classes === sizeOf(shape) / batchOf(model) ? first : null
}

/** [n, classes, 1, 1] becomes [n, classes]. */
export const asLogits: Pass = (model, { decide }) => {
  const [name] = model.outputs as [string]
  const batch = batchOf(model)
  const { type, shape } = shapeIn(model, name, batch)
  const [examples, classes = 0, ...rest] = shape
  if (!type.startsWith('float'))
    throw new Error(
      `the model gives ${shown(name)} as ${type}, no logits; name the tensor with the logits: --output NAME`,
    )
  if (examples !== batch || rest.some((extent) => extent !== 1) || shape.length < 2)
    throw new Error(
      `the model gives [${shape}] for ${batch === 1 ? '1 example' : `${batch} examples`}; expected [${batch}, classes] logits; name the tensor that has them: --output NAME`,
    )
  if (classes < 2)
    throw new Error(
      `the model gives one number for an image, as binary classifiers do; expected two logits or more, one a class: export it with a last layer of two outputs, of which the first is 0`,
    )
  if (rest.length === 0) return model
  const flat = freshNames(model)(`${name} flat`)
  const node = { op: 'Flatten', name: flat, inputs: [name], outputs: [flat], attributes: {} }
  decide(`the logits are [${['batch', ...shape.slice(1)]}] in the file and become [batch, ${classes}]`)
  return { ...model, nodes: [...model.nodes, node], outputs: [flat] }
}
