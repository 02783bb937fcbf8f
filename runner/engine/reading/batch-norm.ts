/** Batch norm in files: whose statistics it takes when the model trains. */

import { floats, type Tensor } from '../onnx/tensor.ts'
import { shapeIn, unusable } from './build.ts'
import type { FileModel, FileNode, Pass, ReadOptions } from './file-model.ts'
import { int64List } from './int64-list.ts'
import { freshNames } from './names.ts'
import { prunedTo } from './prune.ts'
import { listed } from './refusal.ts'

/** Batch norm of a weight, as in weight standardization: its statistics are those of the weight, in training or not. With one
 *  example that is InstanceNormalization; where the file computes the statistics, arithmetic. Batch norm of images that was
 *  exported in training mode is one at inference. */
export const withStandardizedWeights: Pass = (model, { decide }) => {
  const moving = new Set(model.inputs.map(({ name }) => name))
  for (const { inputs, outputs } of model.nodes)
    if (inputs.some((name) => moving.has(name))) for (const output of outputs) moving.add(output)
  const computed = new Set(model.nodes.flatMap(({ outputs }) => outputs))
  const fresh = freshNames(model)
  const constants = new Map(model.constants)
  const literals = new Set(model.literals)
  const nodes = model.nodes.flatMap((node) => {
    if (node.op !== 'BatchNormalization') return [node]
    const [x = '', scale = '', bias = '', ...statistics] = node.inputs
    const training = isTraining(node)
    if (!training && !statistics.some((name) => computed.has(name))) return [node]
    if (statistics.some((name) => moving.has(name)))
      throw unusable(
        node,
        'its statistics are those of the batch, at inference too; export the model in evaluation mode',
      )
    if (moving.has(x)) return [node]
    const { shape } = shapeIn(prunedTo({ ...model, inputs: [] }, x), x)
    if (!training) return inParts(node, shape.length, { constants, literals, fresh })
    if (shape[0] !== 1 || shape.length < 3)
      throw unusable(
        node,
        `it normalizes a weight of the shape [${shape}] over its first axis; expected [1, channels, entries]`,
      )
    const { epsilon } = node.attributes
    const attributes: FileNode['attributes'] = epsilon ? { epsilon } : {}
    return [
      { ...node, op: 'InstanceNormalization', inputs: [x, scale, bias], outputs: node.outputs.slice(0, 1), attributes },
    ]
  })
  const training = model.nodes.filter((node) => isTraining(node) && moving.has(node.inputs[0] ?? ''))
  if (training.length > 0)
    decide(
      `BatchNormalization (${listed(training.map(({ name }) => name))}) was exported in training mode; answers use its running statistics`,
    )
  return { ...model, constants, literals, nodes }
}

const isTraining = ({ op, attributes }: FileNode) => op === 'BatchNormalization' && !!attributes.training_mode?.value

/** (x - mean) / sqrt(variance + epsilon) * scale + bias, with channels along the second axis. */
function inParts(
  { name, inputs, outputs, attributes }: FileNode,
  rank: number,
  {
    constants,
    literals,
    fresh,
  }: { constants: FileModel['constants']; literals: Set<string>; fresh(hint: string): string },
): FileNode[] {
  const nodes: FileNode[] = []
  const add = (op: string, from: string[], output = fresh(`${name} ${op}`)) => {
    nodes.push({ op, name: output, inputs: from, outputs: [output], attributes: {} })
    return output
  }
  const constant = (hint: string, content: Tensor) => {
    const own = fresh(hint)
    constants.set(own, content)
    literals.add(own)
    return own
  }
  const axes = constant(`${name} axes`, int64List(Array.from({ length: rank - 2 }, (_, i) => i + 1)))
  const epsilon = constant(`${name} epsilon`, floats([], [(attributes.epsilon?.value as number) ?? 1e-5]))
  const [x = '', ...ofChannels] = inputs
  const [scale, bias, mean, variance] = ofChannels.map((own) => add('Unsqueeze', [own, axes])) as [
    string,
    string,
    string,
    string,
  ]
  const deviation = add('Sqrt', [add('Add', [variance, epsilon])])
  const normalized = add('Div', [add('Sub', [x, mean]), deviation])
  add('Add', [add('Mul', [normalized, scale]), bias], outputs[0])
  return nodes
}

/** Names that PyTorch's exporters give to what comes of a convolution and the batch norm behind it. */
const isMerged = ({ op, inputs, outputs }: FileNode) =>
  (op === 'Conv' || op === 'ConvTranspose') &&
  (/^onnx::Conv(Transpose)?_\d+$/.test(inputs[1] ?? '') || /^getitem(_\d+)?$/.test(outputs[0] ?? ''))

/** `batch`: by the statistics of the batch, which move the running ones. `running`: by the running ones, which stay. */
export function statisticsOf(
  { nodes }: Pick<FileModel, 'nodes'>,
  { batchNorm: asked }: ReadOptions,
  decide: (sentence: string) => void,
): 'batch' | 'running' {
  const left = nodes.filter(({ op }) => op === 'BatchNormalization').length
  const merged = nodes.filter(isMerged).length
  const layers = (count: number) => `${count} batch ${count === 1 ? 'norm' : 'norms'}`
  if (left === 0) {
    if (merged > 0) decide(`the exporter merged ${layers(merged)} into convolutions, so that the model trains without`)
    return 'batch'
  }
  if (asked) {
    decide(
      `${layers(left)} train by ${asked === 'batch' ? 'the statistics of the batch' : 'running statistics, which stay'}, as asked`,
    )
    return asked
  }
  if (merged === 0) return 'batch'
  decide(
    `the exporter merged ${layers(merged)} into convolutions and left ${left}: those train by running statistics, which stay, so that all layers do the same; --batch-norm batch has them take the statistics of the batch`,
  )
  return 'running'
}
