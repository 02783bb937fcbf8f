/** The naive formulation of a training step, kept to measure the engine against: batch norm and its gradient in primitive
 *  ops, the gradient of Relu by Sign, input gradients by ConvTranspose, weight gradients by slices of the padded input. */
import { standardRules } from '../../runner/autodiff/differentiate.ts'
import type { Rule } from '../../runner/autodiff/rule.ts'
import type { Network } from '../../runner/nn/network.ts'
import { windowOf } from '../../runner/onnx/geometry.ts'
import { type Graph, type Node, numberOf, type Value } from '../../runner/onnx/graph.ts'
import { opsFor } from '../../runner/onnx/ops.ts'

const Relu: Rule = ({ ops, y: [y], dy }) => [ops.Mul(dy, ops.Sign(y!))]

const Conv: Rule = ({ ops, node, x: [x, w], dy, needs }) => {
  const { kernel, strides, pads } = windowOf(node, w!.shape.slice(2), x!.shape)
  const [o, c, kh, kw] = w!.shape as [number, number, number, number]
  const [n, , oh, ow] = dy.shape as [number, number, number, number]
  const reached = kernel.map((k, i) => strides[i]! * (dy.shape[i + 2]! - 1) + k - pads[i]! - pads[i + 2]!)
  const outputPadding = reached.map((extent, i) => x!.shape[i + 2]! - extent)
  const padded = ops.Pad(x!, [0, 0, pads[0]!, pads[1]!, 0, 0, pads[2]!, pads[3]!])
  const taps: Value[] = []
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const ends = [i + (oh - 1) * strides[0]! + 1, j + (ow - 1) * strides[1]! + 1]
      const tap = ops.Slice(padded, [i, j], ends, [2, 3], strides) // [n, c, oh, ow]
      taps.push(ops.Reshape(ops.Transpose(tap, [1, 0, 2, 3]), [c, 1, n * oh * ow]))
    }
  }
  const columns = ops.Reshape(ops.Concat(taps, 1), [c * kh * kw, n * oh * ow])
  const flat = ops.Reshape(ops.Transpose(dy, [1, 0, 2, 3]), [o, n * oh * ow])
  return [
    needs(0) ? ops.ConvTranspose(dy, w!, { strides, pads, output_padding: outputPadding }) : null,
    ops.Reshape(ops.Gemm(flat, columns, null, { transB: 1 }), [o, c, kh, kw]),
  ]
}

export const naiveRules: Readonly<Record<string, Rule>> = { ...standardRules, Relu, Conv }

/** Writes each call of BatchNormTraining out in primitive ops, which the walk then differentiates one by one. */
function writeOutBatchNorm(graph: Graph): void {
  const nodes = graph.nodes.splice(0)
  const ops = opsFor(graph)
  for (const node of nodes) {
    if (!node.op.startsWith('BatchNormTraining')) {
      graph.nodes.push(node)
      continue
    }
    const [x, scale, bias] = node.inputs as [Value, Value, Value]
    const perChannel = (value: Value) => ops.Reshape(value, [x.shape[1]!, 1, 1])
    const mean = ops.ReduceMean(x, [0, 2, 3])
    const centred = ops.Sub(x, mean)
    const variance = ops.ReduceMean(ops.Mul(centred, centred), [0, 2, 3])
    const normal = ops.Div(centred, ops.Sqrt(ops.Add(variance, numberOf(node, 'epsilon', 1e-5))))
    const y = ops.Add(ops.Mul(normal, perChannel(scale)), perChannel(bias))
    const flat = (value: Value) => ops.Reshape(value, [x.shape[1]!])
    const written = [y, flat(mean), flat(variance)]
    node.outputs.forEach((output, i) => {
      const alias: Node = { op: 'Identity', domain: '', inputs: [written[i]!], outputs: [output], attributes: {} }
      graph.nodes.push(alias)
    })
  }
}

export const naiveNetwork = (network: Network): Network => ({
  ...network,
  forward(ops, x, values, training) {
    const built = network.forward(ops, x, values, training)
    writeOutBatchNorm(ops.graph)
    return built
  },
})
