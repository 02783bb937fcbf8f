/** If and Loop, written out where the file or its shapes settle them: the branch that is taken, the body as often as it runs. */
import { addInput, newGraph, type Value } from '../onnx/graph.ts'
import { opsFor } from '../onnx/ops.ts'
import { numbersOf, type Tensor, tensor } from '../onnx/tensor.ts'
import { addNode, newBuilding } from './add-node.ts'
import type { FileGraph, FileModel, FileNode, Pass } from './file-model.ts'
import { copied } from './inline.ts'
import { int64List } from './int64-list.ts'
import { definedIn, freshNames, renamed } from './names.ts'
import { shown } from './refusal.ts'

/** Nodes and steps of loops together: a few bytes can ask for any number. */
const MOST = 20_000
/** Batch sizes for which a branch must be the same; the first counts where the file leaves the batch open. */
const BATCHES = [2, 1, 3]

export const withoutBranches: Pass = (model, { options }) => {
  if (!model.nodes.some(({ graphs }) => graphs)) return model
  const [batch, ...others] = new Set([model.inputs[0]?.shape[0] ?? null, ...BATCHES].filter((size) => size !== null))
  const { written, choices } = writtenOut(model, [batch ?? 1, options.shape])
  for (const size of others) {
    const other = writtenOut(model, [size, options.shape]).choices
    for (const [name, choice] of choices) {
      const differs = other.get(name) ?? choice
      if (differs !== choice)
        throw new Error(`what ${shown(name)} runs depends on the size of the batch; export the model without it`)
    }
  }
  return written
}

/** A batch size, and the shape of an example where the user gave it. */
type Images = [batch: number, example: readonly number[] | undefined]

/** The model for such images, and what was chosen for each node that holds graphs. */
function writtenOut(model: FileModel, images: Images): { written: FileModel; choices: Map<string, number> } {
  const fresh = freshNames(model)
  const constants = new Map(model.constants)
  const literals = new Set(model.literals)
  const choices = new Map<string, number>()
  const nodes: FileNode[] = []
  const trial = trialOf(model, images)
  let count = 0

  function step(): void {
    if (++count > MOST) throw new Error(`the file's loops stand for more than ${MOST} nodes`)
  }

  function add(node: FileNode): void {
    nodes.push(node)
    trial.add(node)
  }

  function addConstant(hint: string, content: Tensor): string {
    const name = fresh(hint)
    constants.set(name, content)
    trial.content.set(name, content)
    return name
  }

  /** Adds the nodes of a graph under names of their own. Gives the names of its outputs. */
  function addBody(graph: FileGraph, given: Map<string, string>, scope: string): string[] {
    const names = new Map(given)
    for (const [name, content] of graph.constants) {
      const own = addConstant(`${scope}/${name}`, content)
      names.set(name, own)
      if (literals.has(name)) literals.add(own)
    }
    for (const name of definedIn(graph)) if (!names.has(name)) names.set(name, fresh(`${scope}/${name}`))
    addAll(renamed(graph.nodes, names).map((node) => ({ ...node, name: `${scope}/${node.name}` })))
    return graph.outputs.map((name) => names.get(name) ?? name)
  }

  function addAll(all: readonly FileNode[]): void {
    for (const node of all) {
      step()
      const { op, graphs, ...plain } = node
      const { then_branch: yes, else_branch: no, body } = graphs ?? {}
      if (op === 'If' && yes && no) addIf(node, yes, no)
      else if (op === 'Loop' && body) addLoop(node, body)
      else if (graphs) add({ op, ...plain, unusable: 'ops that hold graphs are not supported but for If and Loop' })
      else add(node)
    }
  }

  function addIf({ graphs: _, ...node }: FileNode, yes: FileGraph, no: FileGraph): void {
    const condition = trial.number(node.inputs[0])
    if (condition === undefined) {
      const unusable =
        'its condition depends on the images, or on ops that shape arithmetic lacks; export the model without it'
      add({ ...node, unusable })
      return
    }
    choices.set(node.name, condition)
    const results = addBody(condition ? yes : no, new Map(), node.name)
    node.outputs.forEach((output, i) => {
      if (output) add(copied(results[i] ?? '', output))
    })
  }

  function addLoop({ graphs: _, ...node }: FileNode, body: FileGraph): void {
    const [count, condition, ...initial] = node.inputs
    const most = count ? trial.number(count) : Number.POSITIVE_INFINITY
    let goes = condition ? trial.number(condition) : 1
    let carried = initial
    const scans: string[][] = []
    let steps = 0
    for (; goes && most !== undefined && steps < most; steps++) {
      step()
      const scope = `${node.name}/${steps}`
      const iteration = addConstant(`${scope}/step`, { ...int64List([steps]), shape: [] })
      const inside = addConstant(`${scope}/condition`, tensor('bool', [], Uint8Array.of(1)))
      const given = new Map(body.inputs.map((name, i) => [name, [iteration, inside, ...carried][i] ?? '']))
      const [next = '', ...results] = addBody(body, given, scope)
      carried = results.slice(0, initial.length)
      scans.push(results.slice(initial.length))
      // Without a condition of its own, the loop runs as often as its count says.
      if (condition || !count) goes = trial.number(next)
    }
    if (goes === undefined || most === undefined || (steps === 0 && node.outputs.length > initial.length)) {
      add({ ...node, unusable: 'how often it runs depends on the images; export the model with its loops unrolled' })
      return
    }
    choices.set(node.name, steps)
    node.outputs.forEach((output, i) => {
      if (!output) return
      if (i < initial.length) add(copied(carried[i] ?? '', output))
      else
        stack(
          scans.map((scan) => scan[i - initial.length] ?? ''),
          output,
        )
    })
  }

  /** Values of every step become one tensor, [steps, ...]. */
  function stack(parts: readonly string[], output: string): void {
    const axis = addConstant(`${output}/axis`, int64List([0]))
    const rows = parts.map((part) => {
      const row = fresh(`${output}/row`)
      add({ op: 'Unsqueeze', name: row, inputs: [part, axis], outputs: [row], attributes: {} })
      return row
    })
    const attributes = { axis: { kind: 'int', value: 0 } as const }
    add({ op: 'Concat', name: output, inputs: rows, outputs: [output], attributes })
  }

  addAll(model.nodes)
  return { written: { ...model, constants, literals, nodes }, choices }
}

/** A graph that is built to learn shapes, and forgotten. A node that can't be added leaves its outputs unknown. */
function trialOf({ inputs, constants }: FileModel, [batch, example]: Images) {
  const graph = newGraph()
  const ops = opsFor(graph)
  const known = new Map<string, Value>()
  for (const { name, type, shape } of inputs) {
    const rest = example ?? shape.slice(1)
    if (rest.some((extent) => extent === null)) continue
    known.set(name, addInput(graph, graph.freshName('input'), type, shape.length ? [batch, ...(rest as number[])] : []))
  }
  const building = newBuilding(ops, { constants, known })
  const { content } = building
  return {
    content,
    add(node: FileNode): void {
      try {
        addNode(ops, node, building)
      } catch {}
    },
    /** The one entry of a tensor, where it is known. */
    number(name: string | undefined): number | undefined {
      const found = name ? content.get(name) : undefined
      return found?.data.length === 1 ? numbersOf(found)[0] : undefined
    },
  }
}
