/** Sampling: a graph that takes a batch through many denoising steps in one call. */

import { normals, uniformSource } from '../../../engine/nn/counter-random.ts'
import type { DenoiserNetwork } from '../../../engine/nn/denoiser-network.ts'
import { declareValues } from '../../../engine/nn/variables.ts'
import { addInput, addOutput, type Graph, newGraph } from '../../../engine/onnx/graph.ts'
import { loop } from '../../../engine/onnx/loop.ts'
import { opsFor } from '../../../engine/onnx/ops.ts'
import { guided } from './loss.ts'

export interface SampleOptions {
  batch: number
  guidance: number
  clip: boolean
  /** Where the noise of a step comes from: `none` for samplers without any, `drawn` from `keys` [steps, batch, 2], or `fed` as
   *  `noise` [steps, batch, c, h, w]. */
  noise: 'none' | 'drawn' | 'fed'
}

/** Inputs: the parameters, `x` [batch, c, h, w], `labels` [batch], and for each step `t` [steps], `coefficients` [steps, 5] and
 *  its noise. Output: `next/x`, from which another call goes on. */
export function sampleProgram(denoiser: DenoiserNetwork, { batch, guidance, clip, noise }: SampleOptions): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const shape = [batch, ...denoiser.inputShape]
  const steps = addInput(graph, 'steps', 'int64', [])
  const values = declareValues(graph, denoiser.parameters)
  const labels = addInput(graph, 'labels', 'int64', [batch])
  const times = addInput(graph, 't', 'int64', [-1])
  const coefficients = addInput(graph, 'coefficients', 'float32', [-1, 5])
  const keys = noise === 'drawn' ? addInput(graph, 'keys', 'int64', [-1, batch, 2]) : null
  const fed = noise === 'fed' ? addInput(graph, 'noise', 'float32', [-1, ...shape]) : null
  const { carried } = loop(ops, steps, [addInput(graph, 'x', 'float32', shape)], (ops, iteration, [x]) => {
    const t = ops.Expand(ops.Gather(times, iteration), [batch])
    const row = ops.Split(ops.Gather(coefficients, iteration), Array<number>(5).fill(1), 0)
    const predict = (inputs: Parameters<DenoiserNetwork['forward']>[1]) => denoiser.forward(ops, inputs, values)
    const predicted = guided(ops, predict, { x: x!, t, labels }, { guidance, classes: denoiser.classes })
    const estimate = ops.Sub(ops.Mul(x!, row[0]!), ops.Mul(predicted, row[1]!))
    const clean = clip ? ops.Min(ops.Max(estimate, -1), 1) : estimate
    const mixed = ops.Add(ops.Mul(clean, row[2]!), ops.Mul(x!, row[3]!))
    const fresh = keys
      ? normals(ops, uniformSource(ops, ops.Gather(keys, iteration)), shape)
      : fed && ops.Gather(fed, iteration)
    return { carried: [fresh ? ops.Add(mixed, ops.Mul(fresh, row[4]!)) : mixed], scans: [] }
  })
  addOutput(graph, 'next/x', carried[0]!)
  return graph
}
