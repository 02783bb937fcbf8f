/** Activations, the remainder and types: cases. */
import { float } from '../../../runner/engine/onnx/graph.ts'
import { tensor } from '../../../runner/engine/onnx/tensor.ts'
import { any, apart, between } from '../gradient-cases/case.ts'
import type { Case } from './case.ts'

export const activation: Record<string, Case[]> = {
  Mish: [{ title: '', inputs: [any(2, 3)] }],
  Swish: [
    { title: '', inputs: [any(2, 3)] },
    { title: 'alpha', inputs: [any(2, 3)], attributes: { alpha: float(1.7) } },
  ],
  SwiGLU: [{ title: '', inputs: [any(2, 3), any(2, 3)] }],
  Shrink: [
    { title: '', inputs: [apart(4, 4)], kernel: true },
    { title: 'soft', inputs: [apart(4, 4)], attributes: { lambd: float(1), bias: float(1) }, kernel: true },
  ],
  CastLike: [
    { title: 'of what has the type', inputs: [any(2, 3)], settings: [tensor('float64', [], Float64Array.of(0))] },
  ],
  Mod: [
    { title: 'of opposite signs', inputs: [between(2.2, 2.8)(2, 3), between(-1.1, -0.9)(3)] },
    { title: 'of equal signs', inputs: [between(-2.8, -2.2)(2, 3), between(-1.1, -0.9)(3)] },
  ],
}
