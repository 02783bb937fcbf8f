/** Blocks, cuts and pads: cases. */
import { int, ints, string } from '../../../runner/engine/onnx/graph.ts'
import { int64s } from '../../../runner/engine/onnx/tensor.ts'
import { any } from '../gradient-cases/case.ts'
import type { Case } from './case.ts'

export const layout: Record<string, Case[]> = {
  DepthToSpace: [
    { title: 'DCR', inputs: [any(2, 8, 2, 3)], attributes: { blocksize: int(2) }, kernel: true },
    { title: 'CRD', inputs: [any(2, 8, 2, 3)], attributes: { blocksize: int(2), mode: string('CRD') }, kernel: true },
  ],
  SpaceToDepth: [
    { title: 'DCR', inputs: [any(2, 2, 4, 6)], attributes: { blocksize: int(2) }, kernel: true },
    { title: 'CRD', inputs: [any(2, 2, 4, 6)], attributes: { blocksize: int(2), mode: string('CRD') } },
  ],
  Col2Im: [
    { title: '', inputs: [any(2, 8, 6)], settings: [int64s([2], [3, 4]), int64s([2], [2, 2])], kernel: true },
    {
      title: 'strides, pads, dilations and a rest',
      inputs: [any(2, 12, 16)],
      settings: [int64s([2], [8, 7]), int64s([2], [3, 2])],
      attributes: { strides: ints([2, 2]), pads: ints([1, 0, 1, 2]), dilations: ints([1, 2]) },
      kernel: true,
    },
  ],
  CenterCropPad: [
    { title: 'of both', inputs: [any(5, 4, 3)], settings: [int64s([3], [2, 7, 3])] },
    { title: 'axes', inputs: [any(3, 5, 4)], settings: [int64s([2], [4, 7])], attributes: { axes: ints([-2, -1]) } },
  ],
}
