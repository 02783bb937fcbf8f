/** Batch norm in files: whose statistics it takes when the model trains. */

import { shapeIn, unusable } from './build.ts'
import type { FileModel, FileNode, Pass, ReadOptions } from './file-model.ts'
import { prunedTo } from './prune.ts'
import { listed } from './refusal.ts'

/** Batch norm of a weight, as in weight standardization: its statistics are those of the weight, in training or not. With one
 *  example that is InstanceNormalization. Batch norm of images that was exported in training mode is one at inference. */
export const withStandardizedWeights: Pass = (model, { decide }) => {
  const moving = new Set(model.inputs.map(({ name }) => name))
  for (const { inputs, outputs } of model.nodes)
    if (inputs.some((name) => moving.has(name))) for (const output of outputs) moving.add(output)
  const isTraining = ({ op, attributes }: FileNode) => op === 'BatchNormalization' && !!attributes.training_mode?.value
  const nodes = model.nodes.map((node) => {
    const [x = '', scale = '', bias = ''] = node.inputs
    if (!isTraining(node) || moving.has(x)) return node
    const { shape } = shapeIn(prunedTo({ ...model, inputs: [] }, x), x)
    if (shape[0] !== 1 || shape.length < 3)
      throw unusable(
        node,
        `it normalizes a weight of the shape [${shape}] over its first axis; expected [1, channels, entries]`,
      )
    const { epsilon } = node.attributes
    return {
      ...node,
      op: 'InstanceNormalization',
      inputs: [x, scale, bias],
      outputs: node.outputs.slice(0, 1),
      attributes: epsilon ? { epsilon } : {},
    }
  })
  const training = model.nodes.filter((node) => isTraining(node) && moving.has(node.inputs[0] ?? ''))
  if (training.length > 0)
    decide(
      `BatchNormalization (${listed(training.map(({ name }) => name))}) was exported in training mode; answers use its running statistics`,
    )
  return { ...model, nodes }
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
