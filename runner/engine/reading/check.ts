/** Every tensor is made once, before it is used, and what the outputs need can be used. */
import type { FileModel, FileNode, Pass } from './file-model.ts'
import { shown } from './refusal.ts'
import { refusedOps } from './refused-ops.ts'

export const checked: Pass = (model) => {
  const made = new Set([...model.inputs.map(({ name }) => name), ...model.constants.keys()])
  for (const { op, name, inputs, outputs } of model.nodes) {
    const node = `${shown(op)} (node ${shown(name)})`
    for (const input of inputs) {
      if (!input || made.has(input)) continue
      throw new Error(`${node} uses ${shown(input)}, a tensor that the model doesn't have`)
    }
    for (const output of outputs) {
      if (output && made.has(output)) throw new Error(`${node} makes ${shown(output)}, which the model has already`)
      made.add(output)
    }
  }
  checkOutputs(model, made)
  return model
}

function checkOutputs({ outputs }: FileModel, made: ReadonlySet<string>): void {
  const absent = outputs.find((name) => !made.has(name))
  if (absent !== undefined) throw new Error(`nothing in the model makes its output ${shown(absent)}`)
}

/** Why a node can't be added to a graph, whatever its inputs are. */
export function whyUnusable({ op, domain, unusable }: FileNode): string | undefined {
  if (unusable !== undefined) return unusable
  if (domain) return `it is of the domain ${shown(domain)}; export with standard ops only`
  return op in refusedOps ? `it ${refusedOps[op]}` : undefined
}

/** Nodes that can't be used are refused before anything is decided about the weights behind them; the first, since others may
 *  follow from it. */
export const usable: Pass = (model) => {
  const needed = new Set(model.outputs)
  let first: FileNode | undefined
  for (const node of model.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue
    if (whyUnusable(node) !== undefined) first = node
    for (const input of node.inputs) if (input) needed.add(input)
  }
  if (first) throw new Error(`cannot use ${shown(first.op)} (node ${shown(first.name)}): ${whyUnusable(first)}`)
  return model
}
