/** Networks from exported ONNX models: the nodes of the file, with batch norm that can train. */
import { newGraph, type Value } from '../onnx/graph.ts'
import { opsFor } from '../onnx/ops.ts'
import { parseModel } from '../onnx/read.ts'
import type { Tensor } from '../onnx/tensor.ts'
import { batchNormStep } from './layers.ts'
import type { Network, Variable } from './network.ts'

const variables = (tensors: Map<string, Tensor>): Variable[] =>
  [...tensors].map(([name, { shape, data }]) => ({ name, shape, init: () => Float32Array.from(data as Float32Array) }))

/** Makes a network of the bytes of an ONNX model; its variables start as the file has them. */
export function networkOfModel(bytes: Uint8Array): Network {
  const { inputShape, parameters, buffers, forward } = parseModel(bytes)
  const sketch = new Map<string, Value>(
    [...parameters, ...buffers].map(([name, { type, shape }]) => [name, { name, type, shape }]),
  )
  const logits = forward(opsFor(newGraph()), { name: 'x', type: 'float32', shape: [2, ...inputShape] }, sketch)
  const [examples, classes, ...rest] = logits.shape
  if (examples !== 2 || !classes || rest.length > 0)
    throw new Error(`the model gives [${logits.shape}] for 2 examples; expected [2, classes] logits`)
  return {
    parameters: variables(parameters),
    buffers: variables(buffers),
    inputShape,
    classes,
    forward(ops, x, values, training) {
      const updates = new Map<string, Value>()
      if (!training) return { logits: forward(ops, x, values), updates }
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
}
