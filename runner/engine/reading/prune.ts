/** Leaves out what the logits don't need, before anything needs a rule for it. */
import type { FileModel, FileNode, Pass } from './file-model.ts'
import { listed } from './refusal.ts'

/** The nodes, inputs and tensors that an output is made of. */
export function prunedTo(model: FileModel, output: string): FileModel {
  const needed = new Set([output])
  const nodes: FileNode[] = []
  for (const node of [...model.nodes].reverse()) {
    if (!node.outputs.some((name) => name && needed.has(name))) continue
    nodes.push(node)
    for (const name of node.inputs) needed.add(name)
  }
  return {
    ...model,
    outputs: [output],
    inputs: model.inputs.filter(({ name }) => needed.has(name)),
    constants: new Map([...model.constants].filter(([name]) => needed.has(name))),
    nodes: nodes.reverse(),
  }
}

export const pruned: Pass = (model, { decide }) => {
  const [output] = model.outputs
  if (output === undefined) throw new Error('expected an output, the logits; the model has none')
  const kept = prunedTo(model, output)
  const count = model.nodes.length - kept.nodes.length
  const tensors = [...model.constants].flatMap(([name, { type, data }]) =>
    type.startsWith('float') && data.length > 0 && !model.literals?.has(name) && !kept.constants.has(name)
      ? [name]
      : [],
  )
  const parts = [
    ...(count > 0 ? [`${count} ${count === 1 ? 'node' : 'nodes'}`] : []),
    ...(tensors.length > 0 ? [`the ${tensors.length === 1 ? 'tensor' : 'tensors'} ${listed(tensors)}`] : []),
  ]
  if (parts.length > 0) decide(`the logits don't need ${parts.join(' and ')}, left out`)
  const unused = model.inputs.filter((input) => !kept.inputs.includes(input)).map(({ name }) => name)
  if (unused.length > 0)
    decide(`the logits don't need ${unused.length === 1 ? 'input' : 'inputs'} ${listed(unused)}, left out`)
  return kept
}
