/** Nodes in an order in which they can run. ONNX asks for it, but tools that add casts put them at the end, and onnxruntime takes
 *  such files. */
import type { FileGraph, FileNode, Pass } from './file-model.ts'
import { shown } from './refusal.ts'

export const ordered: Pass = (model) => ({
  ...model,
  nodes: inOrder(model.nodes, [...model.inputs.map(({ name }) => name), ...model.constants.keys()]),
  ...(model.functions && {
    functions: new Map(
      [...model.functions].map(([id, body]) => [id, { ...body, nodes: inOrder(body.nodes, body.inputs) }]),
    ),
  }),
})

const namesIn = (graph: FileGraph): string[] => [...graph.outputs, ...graph.nodes.flatMap(neededBy)]

/** Tensors that a node takes, by itself or in the graphs that it holds. */
const neededBy = ({ inputs, graphs = {} }: FileNode): string[] => [...inputs, ...Object.values(graphs).flatMap(namesIn)]

/** The same order, with what a node needs moved ahead of it where it stood behind. No node makes what is given. */
function inOrder(nodes: readonly FileNode[], given: Iterable<string>): FileNode[] {
  const plain = nodes.map((node) =>
    node.graphs
      ? {
          ...node,
          graphs: Object.fromEntries(
            Object.entries(node.graphs).map(([key, graph]) => [
              key,
              { ...graph, nodes: inOrder(graph.nodes, [...graph.inputs, ...graph.constants.keys()]) },
            ]),
          ),
        }
      : node,
  )
  const producers = new Map(plain.flatMap((node) => node.outputs.filter(Boolean).map((name) => [name, node] as const)))
  for (const name of given) producers.delete(name)
  const begun = new Set<FileNode>()
  const done = new Set<FileNode>()
  for (const first of plain) {
    // A stack of its own: a file can be one chain of any length, from its end.
    const stack = [first]
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      const open = begun.has(node) ? [] : neededBy(node).flatMap((name) => producers.get(name) ?? [])
      begun.add(node)
      const waiting = open.filter((producer) => !done.has(producer))
      if (waiting.length === 0) {
        done.add(node)
        stack.pop()
        continue
      }
      const cyclic = waiting.find((producer) => begun.has(producer))
      if (cyclic) {
        const name = (node: FileNode) => `${shown(node.op)} (node ${shown(node.name)})`
        throw new Error(`${name(node)} needs what ${name(cyclic)} makes, which needs it in turn; a model has no cycles`)
      }
      stack.push(...waiting.reverse())
    }
  }
  return [...done]
}
