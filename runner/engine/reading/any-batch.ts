/** A model that was exported for one batch size, for any. The axis over examples is followed from the images to the logits by
 *  building the graph for two batches side by side: for that of the file, and for another. What a node makes of one example must
 *  not depend on the others; then the logits of an image are those that the file gives, whatever is beside it. */

import type { Shape, Tensor } from '../onnx/tensor.ts'
import { type BatchAxis, checkApart, isClean } from './batch-axis.ts'
import { type Form, formsOf, numbersIn, type Situation } from './batch-forms.ts'
import { addNamed, batchOf, madeBy, sketch, unusable } from './build.ts'
import { firstAlong, isEven } from './even.ts'
import type { FileModel, FileNode, Pass } from './file-model.ts'
import { int64List } from './int64-list.ts'
import { freshNames, renamed } from './names.ts'
import { listed, shown } from './refusal.ts'

/** Batches of this size meet no other extent by chance. */
const OTHERS = [97, 89]
/** With a batch of 1, several ways may have to be tried: so many, beside the first of each node. */
const MOST_TRIES = 20_000

export const anyBatch: Pass = (model, { decide }) => {
  const [input] = model.inputs as [FileModel['inputs'][number]]
  const [output] = model.outputs as [string]
  const fixed = input.shape[0] ?? null
  if (fixed === null) return model
  const walk = followed(model, fixed, output)
  const { rewritten } = walk
  decide(
    rewritten.length === 0
      ? `the file fixes the batch at ${fixed}; its nodes take any`
      : `the file fixes the batch at ${fixed}; for any other, ${rewritten.length === 1 ? 'a node was' : `${rewritten.length} nodes were`} rewritten: ${listed(rewritten)}`,
  )
  return {
    ...model,
    inputs: [{ ...input, shape: [null, ...input.shape.slice(1)] }],
    constants: walk.constants,
    nodes: walk.forms.flatMap(({ nodes }) => nodes),
  }
}

function followed(model: FileModel, fixed: number, output: string) {
  const other = OTHERS.find((size) => size !== fixed)!
  const { nodes } = model
  const [file, ours] = [sketch({ ...model, nodes: [] }, batchOf(model)), sketch({ ...model, nodes: [] }, other)]
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const axes = new Map<string, BatchAxis>(model.inputs.map(({ name }) => [name, { axis: 0, outer: 1, inner: 1 }]))
  const constants = new Map(model.constants)
  const fresh = freshNames(model)
  /** Constants with their first entry alone along an axis, by both. */
  const shrunk = new Map<string, string>()
  const lists = new Map<string, string>()
  const shapeOf = (name: string): Shape => madeBy(file.building, name)?.shape ?? []
  const evenness = { producers, shapeOf, constantOf: (name: string) => model.constants.get(name) }

  const add = (content: Tensor) => {
    const key = `${content.shape} ${content.data}`
    const name = lists.get(key) ?? fresh('list')
    lists.set(key, name)
    constants.set(name, content)
    ours.building.content.set(name, content)
    return name
  }
  const situationOf = (node: FileNode): Situation => ({
    node,
    shapes: node.inputs.map((name) => (name ? shapeOf(name) : [])),
    output: shapeOf(node.outputs.find(Boolean) ?? ''),
    axes: node.inputs.map((name) => axes.get(name) ?? null),
    content(index) {
      const name = node.inputs[index] ?? ''
      const [own, others] = [file, ours].map(({ building }) => building.content.get(name))
      return own && others && `${own.data}` === `${others.data}` ? numbersIn(own) : undefined
    },
    add,
    fresh,
    isEven: (index, axis) => isEven(evenness, node.inputs[index] ?? '', axis),
    first(index, axis) {
      const name = node.inputs[index] ?? ''
      const constant = model.constants.get(name)
      if (constant) {
        const own = shrunk.get(`${axis} ${name}`) ?? fresh(`${name} once`)
        shrunk.set(`${axis} ${name}`, own)
        return { name: own, nodes: [], replaced: new Map([[own, firstAlong(constant, axis)]]) }
      }
      const one = fresh(`${name} once`)
      const [from, to, along] = [[0], [1], [axis]].map((list) => add(int64List(list))) as [string, string, string]
      return {
        name: one,
        nodes: [{ op: 'Slice', name: one, inputs: [name, from, to, along], outputs: [one], attributes: {} }],
      }
    },
  })

  /** Adds a form to the graph for another batch, and finds where the batch is in what it makes. */
  const taken = (node: FileNode, { nodes: own, place, replaced }: Form) => {
    for (const [name, content] of replaced ?? []) {
      ours.building.known.delete(name)
      ours.building.content.set(name, content)
    }
    for (const one of own) {
      for (const name of one.outputs) forget(ours.building, name)
      addNamed(ours.ops, one, ours.building)
    }
    for (const [index, name] of node.inputs.entries()) {
      const axis = axes.get(name)
      if (axis) checkApart(node, shapeOf(name), index, axis)
    }
    for (const name of node.outputs) {
      if (!name) continue
      const found = axisOf(node, name, place)
      if (found) axes.set(name, found)
      else axes.delete(name)
    }
  }

  const axisOf = (node: FileNode, name: string, place: BatchAxis | undefined): BatchAxis | null => {
    const [own, others] = [file, ours].map(({ building }) => madeBy(building, name)?.shape ?? [])
    const moved = own!.flatMap((extent, axis) => (extent === others![axis] ? [] : [axis]))
    const [axis, ...more] = moved
    const carrying = node.inputs.flatMap((input) => axes.get(input) ?? [])
    if (own!.length !== others!.length || more.length > 0) throw new Error('it mixes the examples of a batch')
    if (axis === undefined) {
      if (carrying.length > 0 && !['Shape', 'Size'].includes(node.op))
        throw new Error('what it gives does not grow with the batch: it mixes examples, or takes one of them')
      return null
    }
    const factor = own![axis]! / fixed
    if (others![axis] !== factor * other) throw new Error('what it gives does not grow with the batch')
    const [first = { axis, outer: 1, inner: factor }, ...rest] = place ? [place] : carrying
    const fits =
      first.outer * first.inner === factor &&
      rest.every(({ outer, inner }) => outer === first.outer && inner === first.inner)
    if (!fits || (place && place.axis !== axis)) throw new Error('it mixes the examples of a batch')
    return { ...first, axis }
  }

  const forms: Form[] = []
  const open: Form[][] = []
  let furthest: { at: number; error: Error } | null = null
  let tries = 0
  for (let i = 0; i < nodes.length; ) {
    const node = nodes[i]!
    try {
      if (!open[i]) {
        for (const name of node.outputs) forget(file.building, name)
        addNamed(file.ops, node, file.building)
        open[i] = formsOf(situationOf(node))
      }
      const form = open[i]!.shift()
      if (!form) throw new Error('no way is left')
      if (++tries > MOST_TRIES + nodes.length) {
        furthest ??= { at: i, error: new Error('there are too many ways in which its batch could lie') }
        break
      }
      taken(node, form)
      if (node.outputs.includes(output)) {
        const end = axes.get(output)
        if (end?.axis !== 0 || !isClean(end)) throw new Error('it gives no logits of one row an example')
      }
      forms[i] = form
      i++
    } catch (error) {
      if (!furthest || i > furthest.at) furthest = { at: i, error: error as Error }
      // Back to the last node that can be taken otherwise.
      while (i >= 0 && !open[i]?.length) {
        open.length = Math.min(open.length, i)
        i--
      }
      if (i < 0) break
    }
  }
  if (forms.length < nodes.length || !forms.every(Boolean) || open.length < nodes.length) {
    const { at, error } = furthest!
    const node = nodes[at]!
    throw unusable(
      node,
      `the file fixes the batch at ${fixed}, and for another this node can't be used: ${error.message.replace(/^cannot use [^:]*: /, '')}; export the model with a dynamic batch axis`,
    )
  }
  for (const { replaced } of forms) for (const [name, content] of replaced ?? []) constants.set(name, content)
  const rewritten = forms.flatMap((form, i) => (form.nodes[0] === nodes[i] ? [] : [shown(nodes[i]!.name)]))
  return { rewritten, forms: underOwnNames(forms, shrunk, constants), constants }
}

/** A shrunk constant that nothing needs whole keeps its name. */
function underOwnNames(forms: Form[], shrunk: ReadonlyMap<string, string>, constants: Map<string, Tensor>): Form[] {
  const used = new Set(forms.flatMap(({ nodes }) => nodes.flatMap(({ inputs }) => inputs)))
  const names = new Map<string, string>()
  for (const [key, own] of shrunk) {
    const name = key.slice(key.indexOf(' ') + 1)
    const content = constants.get(own)
    if (!used.has(own) || used.has(name) || !content) continue
    constants.set(name, content)
    constants.delete(own)
    names.set(own, name)
    used.add(name)
  }
  return forms.map((form) => ({ ...form, nodes: renamed(form.nodes, names) }))
}

function forget(
  { known, content }: { known: Map<string, unknown>; content: Map<string, unknown> },
  name: string,
): void {
  known.delete(name)
  content.delete(name)
}
