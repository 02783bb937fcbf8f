/** Forms of older opsets that mean something else in opset 21, depending on shapes: brought there while a graph is built. */
import { at } from '../onnx/arity.ts'
import { normalAxis } from '../onnx/geometry.ts'
import { type Attribute, int, numberOf, type Value } from '../onnx/graph.ts'
import { OPSET } from '../onnx/model.ts'
import type { Ops } from '../onnx/ops.ts'
import type { FileNode } from './file-model.ts'

/** What is added in the place of a node of an older opset. */
type Older = (
  ops: Ops,
  node: Pick<FileNode, 'op' | 'attributes'>,
  inputs: readonly (Value | null)[],
) => { inputs: readonly (Value | null)[]; attributes: Record<string, Attribute>; after?: (result: Value) => Value }

/** Until opset 12, these work on a matrix whose columns are all axes from `axis` on. */
const overTheRest: Older = (ops, { attributes }, inputs) => {
  const [x] = inputs as [Value]
  const rank = x.shape.length
  const axis = normalAxis(numberOf({ attributes }, 'axis', 1), rank)
  if (axis === rank - 1) return { inputs, attributes: { axis: int(axis) } }
  const columns = x.shape.slice(axis).reduce((product, extent) => product * extent, 1)
  const rows = x.shape.slice(0, axis).reduce((product, extent) => product * extent, 1)
  return {
    inputs: [ops.Reshape(x, [rows, columns])],
    attributes: { axis: int(1) },
    after: (result) => ops.Reshape(result, x.shape),
  }
}

/** [groups] -> [channels]: until opset 20, a group's channels shared scale and bias. */
const scaledByGroup: Older = (ops, { attributes }, inputs) => {
  const [x, ...ofGroups] = inputs as [Value, Value, Value]
  const channels = at(x.shape, 1)
  const perChannel = ofGroups.map((value) => {
    const groups = at(value.shape, 0)
    return ops.Reshape(ops.Expand(ops.Reshape(value, [groups, 1]), [groups, channels / groups]), [channels])
  })
  return { inputs: [x, ...perChannel], attributes }
}

const olderForms: Record<string, { before: number; older: Older }> = {
  Softmax: { before: 13, older: overTheRest },
  LogSoftmax: { before: 13, older: overTheRest },
  Hardmax: { before: 13, older: overTheRest },
  GroupNormalization: { before: 21, older: scaledByGroup },
}

/** The form that a node of an older opset has, and that opset 21 hasn't. */
export function olderForm({ op, domain, opset = OPSET }: FileNode): Older | undefined {
  const found = domain || !Object.hasOwn(olderForms, op) ? undefined : olderForms[op]
  return found && opset < found.before ? found.older : undefined
}

export const dependsOnShapes = (node: FileNode): boolean => olderForm(node) !== undefined
