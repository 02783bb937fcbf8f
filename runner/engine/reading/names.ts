/** Names of tensors: new ones, and those of a body that is put in the place of a node. */
import type { FileGraph, FileModel, FileNode } from './file-model.ts'

type Body = Pick<FileGraph, 'constants' | 'nodes'> & { inputs?: readonly string[] }

/** Names that a body gives to tensors, but for those inside the graphs of its nodes. */
export const definedIn = ({ inputs = [], constants, nodes }: Body): string[] => [
  ...inputs,
  ...constants.keys(),
  ...nodes.flatMap(({ outputs }) => outputs.filter(Boolean)),
]

/** Gives names that nothing in the model has; they begin with the hint. */
export function freshNames(model: FileModel): (hint: string) => string {
  const taken = new Set(model.inputs.map(({ name }) => name))
  const take = (body: Body) => {
    for (const name of definedIn(body)) taken.add(name)
    for (const node of body.nodes) {
      for (const name of node.inputs) taken.add(name)
      for (const graph of Object.values(node.graphs ?? {})) take(graph)
    }
  }
  take({ constants: model.constants, nodes: model.nodes })
  const counts = new Map<string, number>()
  return (hint) => {
    let name = hint
    while (taken.has(name)) {
      const count = (counts.get(hint) ?? 0) + 1
      counts.set(hint, count)
      name = `${hint}.${count}`
    }
    taken.add(name)
    return name
  }
}

/** Nodes with other names for tensors, in the graphs that they hold too, but for what those define themselves. */
export function renamed(nodes: readonly FileNode[], names: ReadonlyMap<string, string>): FileNode[] {
  const rename = (name: string) => names.get(name) ?? name
  return nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    ...(node.graphs && {
      graphs: Object.fromEntries(
        Object.entries(node.graphs).map(([key, graph]) => {
          const outer = new Map(names)
          for (const name of definedIn(graph)) outer.delete(name)
          const outputs = graph.outputs.map((name) => outer.get(name) ?? name)
          return [key, { ...graph, outputs, nodes: renamed(graph.nodes, outer) }]
        }),
      ),
    }),
  }))
}

/** The body with each node replaced, in the graphs that nodes hold too. Constants can be added to the body on the way. */
export function mapNodes<Mapped extends Pick<FileGraph, 'constants' | 'nodes'>>(
  body: Mapped,
  replace: (node: FileNode, constants: FileGraph['constants']) => readonly FileNode[],
): Mapped {
  const constants = new Map(body.constants)
  const nodes = body.nodes.flatMap((node) => {
    if (!node.graphs) return replace(node, constants)
    const graphs = Object.entries(node.graphs).map(([key, graph]) => [key, mapNodes(graph, replace)] as const)
    return replace({ ...node, graphs: Object.fromEntries(graphs) }, constants)
  })
  return { ...body, constants, nodes }
}
