/** Many steps in one call: the Loop op with a body built by a function. */
import { addInput, type Graph, newGraph, type Value } from './graph.ts'
import { type Ops, opsFor } from './ops.ts'

export interface LoopBody {
  /** Next value of each carried value, in the same order. */
  carried: Value[]
  /** Values of this iteration; each is stacked over iterations into [steps, ...]. */
  scans: Value[]
}

/** Adds a Loop that runs `body` as often as the scalar `steps` says. The body may read values of the outer graph.
 *  Gives the final carried values and the stacked scans (their first extent is unknown, written -1). */
export function loop(
  ops: Ops,
  steps: Value,
  carried: readonly Value[],
  body: (ops: Ops, iteration: Value, carried: Value[]) => LoopBody,
): LoopBody {
  const inner: Graph = newGraph(ops.graph)
  const iteration = addInput(inner, inner.freshName('iteration'), 'int64', [])
  const condition = addInput(inner, inner.freshName('condition'), 'bool', [])
  const inside = carried.map(({ name, type, shape }) => addInput(inner, inner.freshName(name), type, shape))
  const innerOps = opsFor(inner)
  const next = body(innerOps, iteration, inside)
  // A value can leave the body once and must be made in it, so that those which do not are copied.
  const leaving = new Set<Value>(inner.inputs)
  const leave = (value: Value) => {
    const output = leaving.has(value) ? innerOps.Identity(value) : value
    leaving.add(output)
    return output
  }
  inner.outputs = [innerOps.Identity(condition), ...next.carried.map(leave), ...next.scans.map(leave)]
  const types = [...next.carried, ...next.scans.map(({ type, shape }) => ({ type, shape: [-1, ...shape] }))]
  const outputs = ops.emit('Loop', [steps, null, ...carried], { body: { kind: 'graph', value: inner } }, { types })
  return { carried: outputs.slice(0, carried.length), scans: outputs.slice(carried.length) }
}

/** Carried values by what they are, such as weights. */
export type Groups = Record<string, readonly Value[]>

/** The same with carried values in named groups. */
export function loopOverGroups(
  ops: Ops,
  steps: Value,
  groups: Groups,
  body: (ops: Ops, iteration: Value, groups: Record<string, Value[]>) => { carried: Groups; scans: Value[] },
): { carried: Record<string, Value[]>; scans: Value[] } {
  const grouped = (values: readonly Value[]) => {
    const rest = [...values]
    return Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, rest.splice(0, group.length)]))
  }
  const { carried, scans } = loop(ops, steps, Object.values(groups).flat(), (ops, iteration, values) => {
    const next = body(ops, iteration, grouped(values))
    const carried = Object.keys(groups).flatMap((name) => {
      const group = next.carried[name]
      if (!group) throw new Error(`the body of a loop carries ${name} but gives no next ${name}`)
      return group
    })
    return { carried, scans: next.scans }
  })
  return { carried: grouped(carried), scans }
}
