/** Reads a classifier that other software exported to ONNX (opset 9 to 24), for any batch size. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Shape, Tensor } from '../onnx/tensor.ts'
import { type BatchNormNode, missing } from './add-node.ts'
import { anyBatch } from './any-batch.ts'
import { statisticsOf, withStandardizedWeights } from './batch-norm.ts'
import { withoutBranches } from './branches.ts'
import { addNodes } from './build.ts'
import { withCasts } from './cast-like.ts'
import { checked, usable } from './check.ts'
import { withConstants, withCopies } from './constants.ts'
import { decodeModel } from './decode.ts'
import { withoutDropout } from './dropout.ts'
import type { FileInput, Pass, PassContext, ReadOptions } from './file-model.ts'
import { withFilledWeights } from './filled.ts'
import { asLogits, withoutHead } from './head.ts'
import { withImages } from './images.ts'
import { inlined } from './inline.ts'
import { ordered } from './order.ts'
import { withOneOutput } from './outputs.ts'
import { inFloat32 } from './precision.ts'
import { pruned } from './prune.ts'
import { dequantised } from './quantised.ts'
import { refusal } from './refusal.ts'
import { rolesOf } from './roles.ts'
import { withoutSequences } from './sequences.ts'
import { upgraded } from './upgrade.ts'

/** An exported classifier: trained tensors apart from the nodes that use them. */
export interface ExportedModel {
  /** Shape of one example, without the batch. */
  inputShape: Shape
  /** What was decided while reading, a sentence each. */
  decisions: readonly string[]
  /** Weights and biases, by their names in the file. */
  parameters: Map<string, Tensor>
  /** Running means and variances of batch norm. */
  buffers: Map<string, Tensor>
  /** Whose statistics batch norm takes in training. */
  statistics: 'batch' | 'running'
  /** Adds the forward pass for the batch that `x` holds, with the parameters and buffers as `values`. `batchNorm` may put
   *  something in the place of batch norm at inference. */
  forward(
    ops: Ops,
    x: Value,
    values: ReadonlyMap<string, Value>,
    options?: { batchNorm?: (ops: Ops, node: BatchNormNode) => Value },
  ): Value
}

/** In this order. Casts that branches hold are seen once these are written out. */
const passes: readonly Pass[] = [
  ...[ordered, withCopies, inlined, withConstants, withStandardizedWeights, upgraded, inFloat32],
  ...[withoutBranches, inFloat32, withFilledWeights, withoutSequences, dequantised, checked],
  ...[withOneOutput, pruned, withImages, withoutHead, pruned, withoutDropout, usable, withCasts, asLogits, anyBatch],
]

/** Parses and checks a model. Throws, in a sentence, for a file that is no classifier or can't be used. */
export function parseModel(bytes: Uint8Array, options: ReadOptions = {}): ExportedModel {
  const decisions: string[] = []
  const decide = (sentence: string) => {
    if (!decisions.includes(sentence)) decisions.push(sentence)
  }
  try {
    return modelOf(bytes, { options, decide }, decisions)
  } catch (error) {
    throw refusal(error)
  }
}

function modelOf(bytes: Uint8Array, context: PassContext, decisions: readonly string[]): ExportedModel {
  const model = passes.reduce((model, pass) => pass(model, context), decodeModel(bytes, context))
  const [input] = model.inputs as [FileInput]
  const [output] = model.outputs as [string]
  const { nodes, constants, parameters, buffers } = rolesOf(model, input.name, context)
  return {
    inputShape: input.shape.slice(1) as number[],
    decisions,
    parameters,
    buffers,
    statistics: statisticsOf({ nodes }, context.options, context.decide),
    forward(ops, x, values, { batchNorm } = {}) {
      const known = new Map<string, Value>([...values, [input.name, x]])
      return addNodes(ops, { nodes, constants }, known, batchNorm).tensorNamed(output) ?? missing(output)
    },
  }
}
