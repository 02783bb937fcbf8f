/** Normalisations and powers of windows: cases. */
import { float, int, ints } from '../../../runner/engine/onnx/graph.ts'
import { any, apart, positive } from '../gradient-cases/case.ts'
import type { Case } from './case.ts'

export const normalization: Record<string, Case[]> = {
  RMSNormalization: [
    { title: 'last axis', inputs: [any(2, 3, 4), positive(4)] },
    { title: 'two axes', inputs: [any(2, 3, 4), positive(3, 4)], attributes: { axis: int(1), epsilon: float(1e-3) } },
  ],
  LpNormalization: [
    { title: 'by lengths', inputs: [apart(3, 4)], kernel: true },
    { title: 'by sums', inputs: [apart(3, 4)], attributes: { p: int(1), axis: int(0) }, kernel: true },
  ],
  MeanVarianceNormalization: [
    { title: '', inputs: [any(2, 3, 2, 2)], kernel: true },
    { title: 'axes', inputs: [any(2, 3, 4)], attributes: { axes: ints([0, 2]) } },
  ],
  LRN: [
    { title: '', inputs: [any(2, 7, 3, 2)], attributes: { size: int(3), alpha: float(0.5) }, kernel: true },
    {
      title: 'an even window',
      inputs: [any(2, 6, 2, 2)],
      attributes: { size: int(4), alpha: float(0.5), beta: float(0.6), bias: float(2) },
    },
  ],
}
