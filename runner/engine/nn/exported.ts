/** Networks from exported ONNX models: the nodes of the file, with batch norm that can train. PyTorch keeps batch norm and the
 *  names of parameters with `training=TrainingMode.PRESERVE, do_constant_folding=False` and a dynamic batch axis; by default it
 *  merges batch norm into convolutions, and such a model trains without. */
import { differentiate } from '../autodiff/differentiate.ts'
import { addInput, newGraph, type Value } from '../onnx/graph.ts'
import { opsFor } from '../onnx/ops.ts'
import type { Tensor } from '../onnx/tensor.ts'
import type { ReadOptions } from '../reading/file-model.ts'
import { type ExportedModel, parseModel } from '../reading/read.ts'
import { refusal } from '../reading/refusal.ts'
import { batchNormStep } from './layers.ts'
import type { Network, Variable } from './network.ts'
import { declareValues } from './variables.ts'

const variables = (tensors: Map<string, Tensor>): Variable[] =>
  [...tensors].map(([name, { shape, data }]) => ({ name, shape, init: () => Float32Array.from(data as Float32Array) }))

/** Makes a network of the bytes of an ONNX model; its variables start as the file has them. Throws for a model that gives no
 *  logits or can't be trained, naming the op and its node. */
export function networkOfModel(bytes: Uint8Array, options?: ReadOptions): Network & { model: ExportedModel } {
  const model = parseModel(bytes, options)
  const { inputShape, parameters, buffers, forward } = model
  const network: Network = {
    parameters: variables(parameters),
    buffers: variables(buffers),
    inputShape,
    classes: 0,
    forward(ops, x, values, training) {
      const updates = new Map<string, Value>()
      if (!training || model.statistics === 'running') return { logits: forward(ops, x, values), updates }
      const logits = forward(ops, x, values, {
        batchNorm(ops, { buffers: [meanName, varianceName], epsilon, momentum, ...tensors }) {
          // ONNX's momentum is the share that stays.
          const next = batchNormStep(ops, tensors, { epsilon, momentum: 1 - momentum })
          updates.set(meanName, next.mean).set(varianceName, next.variance)
          return next.y
        },
      })
      return { logits, updates }
    },
  }
  try {
    return { ...network, classes: tryTraining(network), model }
  } catch (error) {
    throw refusal(error)
  }
}

/** Builds a training step for two examples, which is then forgotten. Gives the number of classes. */
function tryTraining(network: Network): number {
  const graph = newGraph()
  const ops = opsFor(graph)
  const values = declareValues(graph, [...network.parameters, ...network.buffers])
  const x = addInput(graph, 'x', 'float32', [2, ...network.inputShape])
  const { logits } = network.forward(ops, x, values, true)
  const [examples, classes, ...rest] = logits.shape
  if (examples !== 2 || !classes || rest.length > 0)
    throw new Error(`the model gives [${logits.shape}] for 2 examples; expected [2, classes] logits`)
  const wrt = network.parameters.map(({ name }) => values.get(name)!)
  differentiate(graph, ops.ReduceSum(logits, [0, 1], 0), wrt)
  return classes
}
