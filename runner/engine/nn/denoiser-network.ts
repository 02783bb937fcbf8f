/** Denoisers: networks that predict the noise in an image from the image, the timestep and a class. */
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Shape } from '../onnx/tensor.ts'
import { uniformSource } from './counter-random.ts'
import { declare, type Scope, scopeOver, type Variables } from './variables.ts'

export interface DenoiserInputs {
  /** Noisy images, [n, c, h, w], on the scale on which clean pixels lie in [-1, 1]. */
  x: Value
  /** Timestep of each, [n] int64. */
  t: Value
  /** Class of each, [n] int64; `classes` stands for the null class, "any". */
  labels: Value
}

/** What dropout draws from: the key of each row, [n, 2], and the first of its counters to take (see counter-random.ts). */
export interface Draws {
  keys: Value
  first: number
}

export interface DenoiserNetwork extends Variables {
  /** [channels, height, width] */
  inputShape: Shape
  classes: number
  /** Adds the forward pass: the predicted noise [n, c, h, w]. Dropout drops when `draws` are given. */
  forward(ops: Ops, inputs: DenoiserInputs, values: ReadonlyMap<string, Value>, draws?: Draws): Value
}

/** Makes a denoiser from a function that builds its forward pass; runs it once to learn its variables. */
export function denoiserNetworkOf(
  inputShape: Shape,
  classes: number,
  build: (scope: Scope, inputs: DenoiserInputs) => Value,
): DenoiserNetwork {
  const sketch = {
    x: { name: 'x', type: 'float32' as const, shape: [2, ...inputShape] },
    t: { name: 't', type: 'int64' as const, shape: [2] },
    labels: { name: 'labels', type: 'int64' as const, shape: [2] },
  }
  const { parameters, buffers, output } = declare((scope) => build(scope, sketch))
  if (buffers.length > 0) throw new Error(`a denoiser has no buffers; this one declares ${buffers[0]!.name}`)
  if (output.shape.join() !== sketch.x.shape.join())
    throw new Error(`the denoiser gives [${output.shape}] for 2 images; expected [${sketch.x.shape}]`)
  return {
    parameters,
    buffers,
    inputShape,
    classes,
    forward(ops, inputs, values, draws) {
      const uniforms = draws ? uniformSource(ops, draws.keys, draws.first) : null
      return build(scopeOver(ops, values, { training: !!draws, uniforms }).scope, inputs)
    },
  }
}
