/** Calls of a file's own functions, written out. */
import { type Kept, withoutConstants } from './constants.ts'
import type { FileFunction, FileNode, Pass } from './file-model.ts'
import { definedIn, freshNames, renamed } from './names.ts'
import { shown } from './refusal.ts'

/** Calls and nodes together: functions that call others twice can stand for more nodes than any machine holds. */
const MOST = 100_000
const DEEPEST = 64

export const inlined: Pass = ({ functions = new Map<string, FileFunction>(), ...model }) => {
  if (functions.size === 0) return model
  const fresh = freshNames(model)
  const kept: Kept = { constants: new Map(model.constants), literals: new Set(model.literals), fresh }
  const plain = new Map(
    [...functions].map(([id, body]) => [id, withoutConstants(body, { scope: id, kept, outputs: 'stay' })]),
  )
  let count = 0

  function writtenOut(nodes: readonly FileNode[], callers: readonly string[]): FileNode[] {
    return nodes.flatMap((node) => {
      if (++count > MOST) throw new Error(`the file's functions stand for more than ${MOST} nodes`)
      if (node.graphs) {
        const graphs = Object.entries(node.graphs).map(
          ([key, graph]) => [key, { ...graph, nodes: writtenOut(graph.nodes, callers) }] as const,
        )
        return [{ ...node, graphs: Object.fromEntries(graphs) }]
      }
      const id = `${node.domain}.${node.op}`
      const called = node.domain ? plain.get(id) : undefined
      if (!called) return [node]
      if (callers.includes(id)) throw new Error(`the function ${shown(id)} calls itself, so that it never ends`)
      if (callers.length > DEEPEST) throw new Error(`the file nests calls of functions deeper than ${DEEPEST}`)
      return writtenOut(bodyOf(called, node, fresh), [...callers, id])
    })
  }

  const { constants, literals } = kept
  return { ...model, constants, literals, nodes: writtenOut(model.nodes, []) }
}

/** The body of a function with the tensors and attributes of a call. */
function bodyOf(
  { inputs, outputs, defaults, nodes }: FileFunction,
  call: FileNode,
  fresh: (hint: string) => string,
): FileNode[] {
  const names = new Map(inputs.map((name, i) => [name, call.inputs[i] ?? '']))
  const passed = outputs.flatMap((name, i) => {
    const wanted = call.outputs[i]
    if (wanted && !names.has(name)) names.set(name, wanted)
    else if (wanted) return [copied(names.get(name) ?? '', wanted)]
    return []
  })
  for (const name of definedIn({ constants: new Map(), nodes }))
    if (!names.has(name)) names.set(name, fresh(`${call.name}/${name}`))
  const given = { ...defaults, ...call.attributes }
  return [...renamed(nodes, names).map((node) => withAttributes(node, given, call.name)), ...passed]
}

/** A tensor under another name. */
export const copied = (from: string, to: string): FileNode => ({
  op: 'Identity',
  name: to,
  inputs: [from],
  outputs: [to],
  attributes: {},
})

/** A node of a function with what the call says, in the graphs that it holds too. */
function withAttributes(
  { references = {}, ...node }: FileNode,
  given: FileNode['attributes'],
  caller: string,
): FileNode {
  const taken = Object.entries(references).flatMap(([name, named]) => {
    const value = given[named]
    return value ? [[name, value] as const] : []
  })
  return {
    ...node,
    name: `${caller}/${node.name}`,
    attributes: { ...node.attributes, ...Object.fromEntries(taken) },
    ...(node.graphs && {
      graphs: Object.fromEntries(
        Object.entries(node.graphs).map(([key, graph]) => [
          key,
          { ...graph, nodes: graph.nodes.map((inner) => withAttributes(inner, given, caller)) },
        ]),
      ),
    }),
  }
}
