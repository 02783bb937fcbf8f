import { addInput, addOutput, type Graph, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import type { Tensor } from '../../runner/engine/onnx/tensor.ts'
import type { ReadOptions } from '../../runner/engine/reading/file-model.ts'
import { parseModel } from '../../runner/engine/reading/read.ts'

/** A model as a graph for one batch size: its parameters and buffers are graph inputs, `x` and `logits` its input and output. */
export function readModel(
  bytes: Uint8Array,
  { batchSize, ...options }: { batchSize: number } & ReadOptions,
): { graph: Graph; input: Value; logits: Value; parameters: Map<Value, Tensor>; buffers: Map<Value, Tensor> } {
  const model = parseModel(bytes, options)
  const graph = newGraph()
  const input = addInput(graph, 'x', 'float32', [batchSize, ...model.inputShape])
  const declare = (tensors: Map<string, Tensor>) =>
    new Map([...tensors].map(([name, content]) => [addInput(graph, name, content.type, content.shape), content]))
  const [parameters, buffers] = [declare(model.parameters), declare(model.buffers)]
  const values = new Map([...parameters.keys(), ...buffers.keys()].map((value) => [value.name, value]))
  const logits = addOutput(graph, 'logits', model.forward(opsFor(graph), input, values))
  return { graph, input, logits, parameters, buffers }
}
