/** Programs that look at a term without moving the model: sums of its gradients over batches, its gradients one by one, and its
 *  values for every example. In evaluation mode. */
import { ExpressionError, type ExprNode } from '../../science/expression.ts'
import { differentiate } from '../autodiff/differentiate.ts'
import { declareValues, feedName } from '../nn/variables.ts'
import { addInput, addOutput, type Graph, newGraph, type Value } from '../onnx/graph.ts'
import { loop } from '../onnx/loop.ts'
import { opsFor } from '../onnx/ops.ts'
import { sizeOf } from '../onnx/tensor.ts'
import type { Net, Objective, TermShape } from './objective.ts'
import { clipByGlobalNorm } from './optimizers.ts'
import { alone, termsOf } from './step-program.ts'

function begin(objective: Objective, term: TermShape) {
  const graph = newGraph()
  const ops = opsFor(graph)
  const { parameters, buffers } = objective
  const steps = addInput(graph, 'steps', 'int64', [])
  const variables = [...parameters, ...buffers]
  const known = declareValues(graph, variables)
  const terms = termsOf(graph, ops, objective, alone(term))
  const netOver = (values: ReadonlyMap<string, Value>) => (): Net => ({ values, training: false, update: () => {} })
  return { graph, ops, steps, known, terms, netOver, parameters }
}

export interface GradientShape {
  term: TermShape
  /** Norm to which each batch's gradient is clipped. */
  clipNorm: number | null
  /** Sums gradients or their squares, or gives each. */
  gives: 'sum' | 'squares' | 'each'
  /** Squares sums of several batches: those up to and with the one at which `closing` is 1. */
  grouped: boolean
}

/** Inputs: the variables; those of the term; the sums so far as `sum:<parameter>`; where batches are grouped, the open group's as
 *  `part:<parameter>` and `closing` [steps]. Outputs: all of these sums as `next/…`, or, where each is asked for, `gradients`
 *  [steps, N]. */
export function gradientProgram(objective: Objective, { term, clipNorm, gives, grouped }: GradientShape): Graph {
  const { graph, ops, steps, known, terms, netOver, parameters } = begin(objective, term)
  const { bundles, inside } = terms
  const slots = gives === 'each' ? [] : grouped ? ['sum', 'part'] : ['sum']
  const named = slots.map((slot) => parameters.map(({ name, shape }) => ({ name: feedName(name, slot), shape })))
  const held = named.flatMap((list) =>
    bundles.pack(
      ops,
      list.map(({ name, shape }) => addInput(graph, name, 'float32', shape)),
    ),
  )
  const size = held.length / Math.max(1, slots.length)
  const closing = grouped ? addInput(graph, 'closing', 'float32', [-1]) : null
  const { carried, scans } = loop(ops, steps, held, (ops, iteration, values) => {
    // The walk needs the parameters as values of the body.
    const own = new Map([...known].map(([name, value]) => [name, ops.Identity(value)]))
    const loss = inside(ops, iteration).loss(0, netOver(own) as (node: ExprNode) => Net)
    const wrt = parameters.map(({ name }) => own.get(name)!)
    const found = differentiate(ops.graph, loss, wrt, { absent: 'zero' })
    if (gives === 'each') {
      const flat = found.map((gradient) => ops.Reshape(gradient, [sizeOf(gradient.shape)]))
      return { carried: [], scans: [ops.Concat(flat, 0)] }
    }
    let gradients = bundles.pack(ops, found)
    if (clipNorm) gradients = clipByGlobalNorm(ops, gradients, clipNorm)
    const [sums, parts] = [values.slice(0, size), values.slice(size)]
    const whole = closing ? gradients.map((gradient, i) => ops.Add(parts[i]!, gradient)) : gradients
    const squares = gives === 'squares' ? whole.map((sum) => ops.Mul(sum, sum)) : whole
    if (!closing) return { carried: sums.map((sum, i) => ops.Add(sum, squares[i]!)), scans: [] }
    const closes = ops.Gather(closing, iteration)
    const added = sums.map((sum, i) => ops.Add(sum, ops.Mul(squares[i]!, closes)))
    return { carried: [...added, ...whole.map((part) => ops.Mul(part, ops.Sub(1, closes)))], scans: [] }
  })
  if (gives === 'each') addOutput(graph, 'gradients', scans[0]!)
  named.forEach((list, slot) => {
    const totals = bundles.unpack(ops, carried.slice(slot * size, (slot + 1) * size))
    list.forEach(({ name }, i) => void addOutput(graph, `next/${name}`, totals[i]!))
  })
  return graph
}

/** Inputs: the variables and those of the term. Output: `values` [steps, ...], the term's value of each batch. */
export function valueProgram(objective: Objective, term: TermShape): Graph {
  const { graph, ops, steps, known, terms, netOver } = begin(objective, term)
  const { scans } = loop(ops, steps, [], (ops, iteration) => {
    const value = terms.inside(ops, iteration).value(0, netOver(known) as (node: ExprNode) => Net)
    if (Array.isArray(value)) throw new ExpressionError('expected a value of each example, got values of all weights')
    const { shape } = value as Value
    if (shape[0] !== term.batch)
      throw new ExpressionError(
        `expected a value of each of ${term.batch} examples, got a tensor of shape [${shape}]; don't sum over axis 0`,
      )
    return { carried: [], scans: [ops.Cast(value as Value, 'float32')] }
  })
  addOutput(graph, 'values', scans[0]!)
  return graph
}
