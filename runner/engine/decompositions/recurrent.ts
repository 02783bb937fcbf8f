/** Recurrent layers, one step after another: the length of the sequence is known, so gradients follow from those of the steps. */
import { at } from '../onnx/arity.ts'
import { type Node, numberOf, stringOf, type Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import { numbersOf } from '../onnx/tensor.ts'
import { type Activation, activationsOf } from './parts/activations.ts'
import { type Decomposition, type DecompositionContext, input } from './parts/decomposition.ts'

/** A step is some ten nodes, and twice as many in its gradient, and onnxruntime takes longer than in proportion to start them: 1 s for
 *  28 steps in both directions, 43 s for 256, on two busy cores. */
const LONGEST = 256

/** One direction of a layer. */
interface Direction {
  ops: Ops
  /** x W^T of all gates with the biases that stand outside of them, step by step: [batch, gates * hidden]. */
  inputs: readonly Value[]
  /** [gates * hidden, hidden] */
  recurrence: Value
  /** What of the biases is not among `inputs`. */
  bias: Value | null
  /** [batch, hidden] each; of a cell, where it has one. */
  initial: { hidden: Value; cell: Value }
  activations: readonly Activation[]
  /** [gates * hidden] */
  peepholes: Value | null
}
/** What a direction gives: the hidden value after each step, and the last cell. */
interface Steps {
  hidden: Value[]
  cell?: Value
}

interface Layer {
  activations: readonly string[]
  /** What of the two biases [gates * hidden] is added to x W^T, and what to h R^T alone; without, both are added to x W^T. */
  biases?(context: DecompositionContext, outside: Value, inside: Value): [outside: Value, inside: Value | null]
  /** Index of inputs that not all layers have. */
  cell?: number
  peepholes?: number
  steps(context: DecompositionContext, direction: Direction): Steps
}

const parts = (ops: Ops, x: Value, count: number, axis: number): Value[] =>
  ops.Split(x, Array<number>(count).fill(at(x.shape, axis) / count), axis)

/** h R^T + c */
const recur = (ops: Ops, hidden: Value, recurrence: Value, c: Value | null): Value =>
  ops.Gemm(hidden, recurrence, c, { transB: 1 })

function refuseLengths({ node, constant }: DecompositionContext, steps: number): void {
  if (!node.inputs[4]) return
  const lengths = constant(4)
  if (!lengths || numbersOf(lengths).some((length) => length !== steps))
    throw new Error(
      `${node.op} with sequence_lens is not supported, but where all are the whole length, ${steps}; export it without`,
    )
}

/** What all recurrent layers have in common: X, W, R, B, sequence_lens, initial_h; directions, layout, and the outputs Y and Y_h. */
const recurrent =
  (layer: Layer): Decomposition =>
  (context) => {
    const { ops, node, x } = context
    const batchFirst = numberOf(node, 'layout', 0) === 1
    const first = input(context, 0)
    const sequence = batchFirst ? ops.Transpose(first, [1, 0, 2]) : first
    const [steps, batch, width] = sequence.shape as [number, number, number]
    if (steps > LONGEST)
      throw new Error(
        `${node.op} over ${steps} steps is not supported; expected at most ${LONGEST}, as each is written out`,
      )
    refuseLengths(context, steps)
    const [weights, recurrences] = [input(context, 1), input(context, 2)]
    const [count, , hidden] = recurrences.shape as [number, number, number]
    const direction = stringOf(node, 'direction', 'forward')
    if (count !== (direction === 'bidirectional' ? 2 : 1))
      throw new Error(`${node.op} with direction ${direction} has weights [${weights.shape}] for ${count} directions`)
    const stateOf = (value: Value | undefined, which: number): Value => {
      if (!value) return ops.Expand(ops.scalar(first.type, 0), [batch, hidden])
      return ops.Reshape(ops.Slice(value, [which], [which + 1], [batchFirst ? 1 : 0]), [batch, hidden])
    }
    const oneOf = (value: Value, which: number) =>
      ops.Reshape(ops.Slice(value, [which], [which + 1], [0]), value.shape.slice(1))
    const activations = activationsOf(node, layer.activations, count)
    const found = Array.from({ length: count }, (_, which) => {
      const backwards = direction === 'reverse' || which === 1
      const [ofInput, ofRecurrence] = x[3] ? parts(ops, oneOf(x[3], which), 2, 0) : []
      const [outside, inside] =
        ofInput && ofRecurrence
          ? (layer.biases?.(context, ofInput, ofRecurrence) ?? [ops.Add(ofInput, ofRecurrence), null])
          : [null, null]
      const rows = ops.Reshape(sequence, [steps * batch, width])
      const all = ops.Gemm(rows, oneOf(weights, which), outside, { transB: 1 })
      const inputs = parts(ops, all, steps, 0)
      const peepholes = layer.peepholes !== undefined ? x[layer.peepholes] : undefined
      const result = layer.steps(context, {
        ops,
        inputs: backwards ? inputs.toReversed() : inputs,
        recurrence: oneOf(recurrences, which),
        bias: inside,
        initial: {
          hidden: stateOf(x[5], which),
          cell: stateOf(layer.cell === undefined ? undefined : x[layer.cell], which),
        },
        activations: at(activations, which),
        peepholes: peepholes ? oneOf(peepholes, which) : null,
      })
      const last = at(result.hidden, -1)
      return { ...result, last, inOrder: backwards ? result.hidden.toReversed() : result.hidden }
    })
    const axis = batchFirst ? 1 : 0
    const stacked = (values: readonly Value[]) =>
      ops.Concat(
        values.map((value) => ops.Unsqueeze(value, [axis])),
        axis,
      )
    // Of each direction [steps, 1, batch, hidden], or [batch, steps, 1, hidden].
    const along = (values: readonly Value[]) => {
      const stepwise = ops.Reshape(ops.Concat(values, 0), [steps, 1, batch, hidden])
      return batchFirst ? ops.Transpose(stepwise, [2, 0, 1, 3]) : stepwise
    }
    const outputs: (() => Value | null)[] = [
      () =>
        ops.Concat(
          found.map(({ inOrder }) => along(inOrder)),
          batchFirst ? 2 : 1,
        ),
      () => stacked(found.map(({ last }) => last)),
      () => {
        const cells = found.flatMap(({ cell }) => cell ?? [])
        return cells.length > 0 ? stacked(cells) : null
      },
    ]
    return outputs.map((output, i) => (node.outputs[i] ? output() : null))
  }

/** h' = f(x W^T + h R^T + b) */
export const RNN = recurrent({
  activations: ['Tanh'],
  steps(_, { ops, inputs, recurrence, initial, activations: [f] }) {
    let { hidden } = initial
    return {
      hidden: inputs.map((own) => {
        hidden = f!(ops, recur(ops, hidden, recurrence, own))
        return hidden
      }),
    }
  },
})

/** Whether what is remembered passes its weights before it's reset. */
const resetsAfter = (node: Node) => numberOf(node, 'linear_before_reset', 0) === 1

/** Gates z, r, h: h' = (1 - z) g + z h, with g = tanh(x W^T + (r h) R^T + b), or, by `linear_before_reset`, of r (h R^T + b). */
export const GRU = recurrent({
  activations: ['Sigmoid', 'Tanh'],
  biases({ ops, node }, outside, inside) {
    if (!resetsAfter(node)) return [ops.Add(outside, inside), null]
    const size = at(inside.shape, 0) / 3
    const [ofGates, ofCandidate] = ops.Split(inside, [2 * size, size], 0) as [Value, Value]
    return [ops.Add(outside, ops.Pad(ofGates, [0, size])), ofCandidate]
  },
  steps({ node }, { ops, inputs, recurrence, bias, initial, activations: [f, g] }) {
    let { hidden } = initial
    const size = at(hidden.shape, 1)
    const linear = resetsAfter(node)
    const [gates, candidate] = ops.Split(recurrence, [2 * size, size], 0) as [Value, Value]
    return {
      hidden: inputs.map((own) => {
        const [ofGates, ofCandidate] = ops.Split(own, [2 * size, size], 1) as [Value, Value]
        const [z, r] = parts(ops, f!(ops, recur(ops, hidden, gates, ofGates)), 2, 1) as [Value, Value]
        const proposed = linear
          ? ops.Add(ofCandidate, ops.Mul(r, recur(ops, hidden, candidate, bias)))
          : recur(ops, ops.Mul(r, hidden), candidate, ofCandidate)
        const next = g!(ops, proposed)
        // (1 - z) g + z h = g + z (h - g)
        hidden = ops.Add(next, ops.Mul(z, ops.Sub(hidden, next)))
        return hidden
      }),
    }
  },
})

/** Gates i, o, f, c: c' = f c + i g(..), h' = o tanh(c'); peepholes show the cell to i and f, and the new cell to o. */
export const LSTM = recurrent({
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  cell: 6,
  peepholes: 7,
  steps({ node }, { ops, inputs, recurrence, initial, activations: [f, g, h], peepholes }) {
    const coupled = numberOf(node, 'input_forget', 0) === 1
    let { hidden, cell } = initial
    const size = at(hidden.shape, 1)
    const [toInput, toOutput, toForget] = peepholes ? parts(ops, peepholes, 3, 0) : []
    const seeing = (gate: Value, content: Value, weight: Value | undefined) =>
      weight ? f!(ops, ops.Add(gate, ops.Mul(weight, content))) : gate
    const all = inputs.map((own) => {
      const [gates, c] = ops.Split(recur(ops, hidden, recurrence, own), [3 * size, size], 1) as [Value, Value]
      const opened = peepholes ? gates : f!(ops, gates)
      const [i, o, forget] = parts(ops, opened, 3, 1) as [Value, Value, Value]
      const taken = seeing(i, cell, toInput)
      const kept = coupled ? ops.Sub(1, taken) : seeing(forget, cell, toForget)
      cell = ops.Add(ops.Mul(kept, cell), ops.Mul(taken, g!(ops, c)))
      hidden = ops.Mul(seeing(o, cell, toOutput), h!(ops, cell))
      return hidden
    })
    return { hidden: all, cell }
  },
})
