/** Reads a classifier that other software exported to ONNX (opset 9 to 24), for any batch size. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Shape, Tensor } from '../onnx/tensor.ts'
import { addNode, type BatchNormNode, missing, newBuilding } from './add-node.ts'
import { withoutBranches } from './branches.ts'
import { checked, usable } from './check.ts'
import { withConstants } from './constants.ts'
import { decodeModel } from './decode.ts'
import type { FileModel, Pass, PassContext, ReadOptions } from './file-model.ts'
import { inlined } from './inline.ts'
import { inFloat32 } from './precision.ts'
import { dequantised } from './quantised.ts'
import { refusal, shown } from './refusal.ts'
import { type Role, rolesOf } from './roles.ts'
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
  /** What each parameter does. */
  roles: Map<string, Role>
  /** Adds the forward pass for the batch that `x` holds, with the parameters and buffers as `values`. `batchNorm` may put
   *  something in the place of batch norm at inference. */
  forward(
    ops: Ops,
    x: Value,
    values: ReadonlyMap<string, Value>,
    options?: { batchNorm?: (ops: Ops, node: BatchNormNode) => Value },
  ): Value
}

/** In this order. Branches can hold constants of their own, so that these are looked for again. */
const passes: readonly Pass[] = [
  ...[inlined, withConstants, upgraded, inFloat32],
  ...[withoutBranches, withConstants, withoutSequences, dequantised, checked, usable],
]

/** Parses and checks a model. Dropout passes its input on: exporters leave it out of models at inference, and its draws could
 *  not follow the run's seed. Throws, in a sentence, for a file that is no classifier or can't be used. */
export function parseModel(bytes: Uint8Array, options: ReadOptions = {}): ExportedModel {
  const decisions: string[] = []
  try {
    return modelOf(bytes, { options, decide: (sentence) => void decisions.push(sentence) }, decisions)
  } catch (error) {
    throw refusal(error)
  }
}

function modelOf(bytes: Uint8Array, context: PassContext, decisions: readonly string[]): ExportedModel {
  const model = passes.reduce((model, pass) => pass(model, context), decodeModel(bytes, context))
  const input = inputOf(model)
  const output = outputOf(model)
  const { nodes, constants, parameters, buffers, roles } = rolesOf(model, input.name, context)
  return {
    inputShape: input.shape,
    decisions,
    parameters,
    buffers,
    roles,
    forward(ops, x, values, { batchNorm } = {}) {
      const known = new Map<string, Value>([...values, [input.name, x]])
      const building = newBuilding(ops, { constants, known, batchNorm })
      for (const node of nodes) {
        try {
          addNode(ops, node, building)
        } catch (error) {
          const hint = node.op === 'Reshape' ? '; was it exported with a dynamic batch axis?' : ''
          const { message } = refusal(error)
          throw refusal(new Error(`cannot use ${shown(node.op)} (node ${shown(node.name)}): ${message}${hint}`))
        }
      }
      return building.tensorNamed(output) ?? missing(output)
    },
  }
}

/** The one input: [batch, ...shape of an example]. */
function inputOf({ inputs }: FileModel): { name: string; shape: number[] } {
  const [input, ...more] = inputs
  if (!input || more.length > 0)
    throw new Error(`expected one input, the images; the model has ${inputs.length}: ${inputs.map((i) => i.name)}`)
  const [, ...shape] = input.shape
  const open = shape.indexOf(null)
  if (shape.length === 0 || open >= 0)
    throw new Error(`axis ${open + 1} of input ${input.name} is dynamic; fix every axis but the batch on export`)
  return { name: input.name, shape: shape as number[] }
}

function outputOf({ outputs }: FileModel): string {
  const [output, ...more] = outputs
  if (output === undefined || more.length > 0)
    throw new Error(`expected one output, the logits; the model has ${outputs.length}`)
  return output
}
