/** Lists of tensors, which exporters write where Python has lists: parts of a Split, or inputs of a Concat. What makes a list stays, so
 *  that it is refused where something else needs the list. */
import { type Attribute, int } from '../onnx/graph.ts'
import { numbersOf } from '../onnx/tensor.ts'
import type { FileNode, Pass } from './file-model.ts'
import { copied } from './inline.ts'
import { int64List } from './int64-list.ts'
import { freshNames } from './names.ts'

const numberIn = (attribute: Attribute | undefined, fallback: number) =>
  attribute?.kind === 'int' ? attribute.value : fallback

export const withoutSequences: Pass = (model) => {
  const fresh = freshNames(model)
  const constants = new Map(model.constants)
  /** Names of the tensors of each list. */
  const lists = new Map<string, string[]>()

  /** Parts of given lengths. */
  function split(node: FileNode): FileNode[] {
    const [x = '', lengths = ''] = node.inputs
    const content = constants.get(lengths)
    // How many parts a single length makes follows from shapes.
    if (content?.shape.length !== 1) return [node]
    const parts = numbersOf(content).map(() => fresh(`${node.name}/part`))
    lists.set(node.outputs[0] ?? '', parts)
    return [
      node,
      {
        ...node,
        op: 'Split',
        inputs: [x, lengths],
        outputs: parts,
        attributes: { axis: int(numberIn(node.attributes.axis, 0)) },
      },
    ]
  }

  function joined(node: FileNode, parts: readonly string[]): FileNode[] {
    const attributes = { axis: int(numberIn(node.attributes.axis, 0)) }
    if (!numberIn(node.attributes.new_axis, 0)) return [{ ...node, op: 'Concat', inputs: [...parts], attributes }]
    const axis = fresh(`${node.name}/axis`)
    constants.set(axis, int64List([attributes.axis.value as number]))
    const rows = parts.map((part): FileNode => {
      const row = fresh(`${node.name}/row`)
      return { op: 'Unsqueeze', name: row, inputs: [part, axis], outputs: [row], attributes: {} }
    })
    return [...rows, { ...node, op: 'Concat', inputs: rows.map(({ name }) => name), attributes }]
  }

  const nodes = model.nodes.flatMap((node): FileNode[] => {
    const { op, inputs, outputs, domain } = node
    const [first = '', second = ''] = inputs
    const list = lists.get(first)
    if (domain) return [node]
    if (op === 'SequenceConstruct') {
      lists.set(outputs[0] ?? '', [...inputs])
      return [node]
    }
    if (op === 'SplitToSequence') return split(node)
    if (op === 'Identity' && list) {
      lists.set(outputs[0] ?? '', list)
      return [node]
    }
    if (op === 'SequenceAt' && list) {
      const index = constants.get(second)
      const part = index && list.at(Number(index.data[0]))
      return part === undefined ? [node] : [copied(part, outputs[0] ?? '')]
    }
    if (op === 'ConcatFromSequence' && list) return joined(node, list)
    return [node]
  })
  return { ...model, constants, nodes }
}
