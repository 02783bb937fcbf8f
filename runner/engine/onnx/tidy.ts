/** A graph as onnxruntime would tidy it: reshapes of reshapes read what came first, small constants are computed, an output is
 *  what its copy was, and what nobody reads is left out. onnxruntime goes over the whole graph some forty times whenever one of its
 *  rules changed something, and over what it inlined of functions; given these, it finds less to change. */
import { type Graph, type Node, numberOf, type Value } from './graph.ts'
import { arrays, numbersOf, type Shape, sizeOf, type Tensor } from './tensor.ts'

/** Larger ones are made when they are needed. */
const LARGEST = 4096

/** The same computation with fewer nodes. */
export function tidied(graph: Graph): Graph {
  const functions = new Map<string, Graph['functions'] extends Map<string, infer Body> ? Body : never>()
  for (const [name, { graph: body }] of graph.functions)
    functions.set(name, { name, graph: tidiedOne(body, functions) })
  return tidiedOne(graph, functions)
}

function tidiedOne(graph: Graph, functions: Graph['functions']): Graph {
  const initializers = new Map(graph.initializers)
  const first = new Map<Value, Value>()
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const [output] = node.outputs
    const constant = output && node.domain === '' && !graph.outputs.includes(output) && computed(node, initializers)
    if (constant) {
      initializers.set(output, constant)
      continue
    }
    const [x = null, shape = null] = node.inputs
    const fused = node.op === 'Reshape' && x && output && shape && sets(initializers.get(shape), node)
    if (fused) first.set(output, first.get(x) ?? x)
    const inputs = fused ? [first.get(x) ?? x, shape] : node.inputs
    nodes.push({ ...node, inputs, attributes: withSubgraphs(node, functions) })
  }
  return withoutUnread({ ...graph, functions, initializers, nodes: withoutCopies(graph, nodes) })
}

const withSubgraphs = ({ attributes }: Node, functions: Graph['functions']): Node['attributes'] =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [
      name,
      attribute.kind === 'graph' ? { ...attribute, value: tidiedOne(attribute.value, functions) } : attribute,
    ]),
  )

/** Whether a Reshape's target says the shape by itself: no extent is copied from the input. */
const sets = (target: Tensor | undefined, node: Node): boolean =>
  !!target && (numberOf(node, 'allowzero', 0) === 1 || !numbersOf(target).includes(0))

/** The content of what a constant is spread or laid out to. */
function computed({ op, inputs, outputs }: Node, initializers: Graph['initializers']): Tensor | undefined {
  const [x, target] = inputs.map((input) => input && initializers.get(input))
  const shape: Shape | undefined = outputs[0]?.shape
  if (!x || !target || !shape || inputs.length > 2 || shape.some((extent) => extent < 0) || sizeOf(shape) > LARGEST)
    return
  if (op === 'Reshape') return { ...x, shape }
  if (op !== 'Expand' || x.data.length !== 1) return
  const [entry] = x.data as Float32Array
  return { type: x.type, shape, data: new arrays[x.type as 'float32'](sizeOf(shape)).fill(entry!) }
}

/** Values that nodes read, those of subgraphs with them. */
function readBy(nodes: readonly Node[], counts = new Map<Value, number>()): Map<Value, number> {
  for (const { inputs, attributes } of nodes) {
    for (const input of inputs) if (input) counts.set(input, (counts.get(input) ?? 0) + 1)
    for (const attribute of Object.values(attributes)) {
      if (attribute.kind !== 'graph') continue
      readBy(attribute.value.nodes, counts)
      for (const output of attribute.value.outputs) counts.set(output, (counts.get(output) ?? 0) + 1)
    }
  }
  return counts
}

/** A value that is only copied to an output becomes the output. */
function withoutCopies({ outputs }: Graph, nodes: Node[]): Node[] {
  const counts = readBy(nodes)
  const leaving = new Set<Value | null>(outputs)
  const made = new Set(nodes.flatMap((node) => node.outputs))
  const renamed = new Map<Value | null, Value>()
  const rest = nodes.filter(({ op, domain, inputs: [x = null], outputs: [y = null] }) => {
    const copies = op === 'Identity' && domain === '' && x && y && leaving.has(y)
    if (!copies || !made.has(x) || leaving.has(x) || counts.get(x) !== 1) return true
    renamed.set(x, y)
    return false
  })
  return rest.map((node) => ({ ...node, outputs: node.outputs.map((output) => renamed.get(output) ?? output) }))
}

/** Without nodes and constants that nothing reads. */
function withoutUnread(graph: Graph): Graph {
  const read = new Set<Value | null>(graph.outputs)
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => read.has(output))) return false
    for (const value of readBy([node]).keys()) read.add(value)
    return true
  })
  const initializers = new Map([...graph.initializers].filter(([value]) => read.has(value)))
  return { ...graph, nodes: nodes.reverse(), initializers }
}
