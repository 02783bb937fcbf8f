/** What a case of a decomposition is. */
import type { Attribute } from '../../../runner/engine/onnx/graph.ts'
import type { Tensor } from '../../../runner/engine/onnx/tensor.ts'
import type { Input } from '../gradient-check.ts'

export interface Case {
  title: string
  /** What gradients are asked for, and null where an input is absent. */
  inputs: (Input | null)[]
  attributes?: Record<string, Attribute>
  /** Inputs after these, as constants; null where one is absent. */
  settings?: (Tensor | null)[]
  outputs?: number
  /** Whether onnxruntime has a kernel of the op in the opset of our graphs, to compare with. */
  kernel?: boolean
}
