/** Constant nodes become tensors of the file like any other, since exporters hold weights in either. Those in the bodies of functions
 *  and loops are there once, however often the body runs. */
import type { Attribute } from '../onnx/graph.ts'
import { type Tensor, tensor } from '../onnx/tensor.ts'
import type { FileGraph, FileNode, Pass } from './file-model.ts'
import { int64List } from './int64-list.ts'
import { freshNames, renamed } from './names.ts'

/** Where constants are kept, with those among them that Constant nodes made of single numbers. */
export interface Kept {
  constants: Map<string, Tensor>
  literals: Set<string>
  fresh(hint: string): string
}

export const withConstants: Pass = (model) => {
  const kept: Kept = {
    constants: new Map(model.constants),
    literals: new Set(model.literals),
    fresh: freshNames(model),
  }
  const nodes = model.nodes.flatMap((node) => {
    const [content, [output = '']] = [contentOf(node), node.outputs]
    if (!content || !output || kept.constants.has(output)) return [withPlainGraphs(node, kept)]
    kept.constants.set(output, content)
    if (content.data.length === 1) kept.literals.add(output)
    return []
  })
  return { ...model, constants: kept.constants, literals: kept.literals, nodes }
}

/** A weight under another name is a weight of its own: so exporters write weights that they merged because they were equal. */
export const withCopies: Pass = (model) => {
  const constants = new Map(model.constants)
  const nodes = model.nodes.filter(({ op, domain, inputs: [input = ''], outputs: [output = ''] }) => {
    const content = op === 'Identity' && !domain ? constants.get(input) : undefined
    if (!content || !output || constants.has(output)) return true
    constants.set(output, content)
    return false
  })
  return { ...model, constants, nodes }
}

/** A body whose constants are kept outside of it, but for those that are its outputs, where these must stay. */
export function withoutConstants<Body extends Pick<FileGraph, 'nodes' | 'outputs'> & Partial<FileGraph>>(
  body: Body,
  { scope, kept, outputs = 'change' }: { scope: string; kept: Kept; outputs?: 'change' | 'stay' },
): Body {
  const names = new Map<string, string>()
  const staying = new Set(outputs === 'stay' ? body.outputs : [])
  const keep = (name: string, content: Tensor) => {
    const own = kept.fresh(`${scope}/${name}`)
    kept.constants.set(own, content)
    names.set(name, own)
    return own
  }
  for (const [name, content] of body.constants ?? []) keep(name, content)
  const nodes = body.nodes.flatMap((node) => {
    const [content, [output = '']] = [contentOf(node), node.outputs]
    if (!content || !output || staying.has(output)) return [withPlainGraphs(node, kept)]
    const own = keep(output, content)
    if (content.data.length === 1) kept.literals.add(own)
    return []
  })
  return {
    ...body,
    ...(body.constants && { constants: new Map() }),
    outputs: body.outputs.map((name) => names.get(name) ?? name),
    nodes: renamed(nodes, names),
  }
}

function withPlainGraphs(node: FileNode, kept: Kept): FileNode {
  if (!node.graphs) return node
  const graphs = Object.entries(node.graphs).map(
    ([key, graph]) => [key, withoutConstants(graph, { scope: node.name, kept })] as const,
  )
  return { ...node, graphs: Object.fromEntries(graphs) }
}

/** The content of a Constant node; undefined for other nodes, for text, and in a function where a call gives it. */
function contentOf({ op, domain, attributes, references }: FileNode): Tensor | undefined {
  if (op !== 'Constant' || domain || references) return undefined
  const [attribute] = Object.values(attributes)
  return attribute && scalarOrList(attribute)
}

const scalarOrList = ({ kind, value }: Attribute): Tensor | undefined => {
  if (kind === 'tensor') return value
  if (kind === 'float') return tensor('float32', [], Float32Array.of(value))
  if (kind === 'floats') return tensor('float32', [value.length], Float32Array.from(value))
  if (kind === 'int') return { ...int64List([value]), shape: [] }
  if (kind === 'ints') return int64List(value)
  return undefined
}
