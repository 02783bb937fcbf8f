/** The language that losses are written in: pure functions over a small set of graph operations, recorded as data. A method calls
 *  them on the values of its task (logits, labels, predicted noise, weights ...); the engine compiles what was recorded into the
 *  one graph that trains. Because a recording is data, it names its graph, and may come from wherever a method runs. */

/** A value of the graph under construction: a tensor, or one tensor for each parameter (weights, gradients). */
export interface Expr {
  readonly id: number
}
export type Operand = Expr | number

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** One operation; arguments are positions of earlier nodes. */
export interface ExprNode {
  op: string
  args: readonly number[]
  /** What the operation is told beside its arguments. */
  with: { readonly [key: string]: Json }
}

/** What a function recorded: the nodes in order, and which of them is its value. */
export interface Recording {
  nodes: readonly ExprNode[]
  output: number
}

/** An operation was given what it can't take. */
export class ExpressionError extends Error {
  override name = 'ExpressionError'
}

/** Operations that every task has. Tensors broadcast as in NumPy. On weights, element-wise operations work on every parameter, and
 *  `sum`, `mean`, `norm` and `dot` go over all of them. */
export interface Operations {
  add(a: Operand, b: Operand): Expr
  subtract(a: Operand, b: Operand): Expr
  multiply(a: Operand, b: Operand): Expr
  divide(a: Operand, b: Operand): Expr
  /** a^b, with a number as b. */
  power(a: Operand, exponent: number): Expr
  maximum(a: Operand, b: Operand): Expr
  minimum(a: Operand, b: Operand): Expr
  negate(a: Operand): Expr
  abs(a: Operand): Expr
  /** −1, 0 or 1; without a gradient. */
  sign(a: Operand): Expr
  /** To the nearest whole number, halves to the even one; without a gradient. */
  round(a: Operand): Expr
  square(a: Operand): Expr
  sqrt(a: Operand): Expr
  exp(a: Operand): Expr
  log(a: Operand): Expr
  relu(a: Operand): Expr
  sigmoid(a: Operand): Expr
  /** log(1 + e^a) */
  softplus(a: Operand): Expr
  tanh(a: Operand): Expr
  /** Kept between two numbers. */
  clip(a: Operand, low: number, high: number): Expr
  /** 1 where a > b, else 0; without a gradient. */
  greater(a: Operand, b: Operand): Expr
  /** `a` where the condition is not 0, else `b`. */
  where(condition: Expr, a: Operand, b: Operand): Expr
  /** Over everything, or along one axis, which then goes. */
  sum(a: Expr, axis?: number): Expr
  mean(a: Expr, axis?: number): Expr
  /** Euclidean norm over everything. */
  norm(a: Expr): Expr
  /** Sum of products over everything. */
  dot(a: Expr, b: Expr): Expr
  /** Along axis 1 of [n, classes]. */
  softmax(a: Expr): Expr
  logSoftmax(a: Expr): Expr
  /** log Σ exp along axis 1 of [n, classes] -> [n] */
  logSumExp(a: Expr): Expr
  /** The entry of each row at its label. [n, classes], [n] -> [n] */
  pick(a: Expr, labels: Expr): Expr
  /** The label of the largest entry of each row, the first of equal ones; without a gradient. [n, classes] -> [n] */
  argMax(a: Expr): Expr
  /** 1 at the label, 0 elsewhere. [n] -> [n, classes] */
  oneHot(labels: Expr, classes: number): Expr
  /** Mean cross-entropy. logits [n, classes], labels [n] -> scalar */
  crossEntropy(logits: Expr, labels: Expr): Expr
  /** Squared distance: `sum` over an example and mean over the batch, or `mean` over everything. */
  squaredError(a: Expr, b: Expr, reduction: 'sum' | 'mean'): Expr
  /** The same value, without a gradient: a constant of the step. */
  stop(a: Expr): Expr
  /** Gradient of a scalar for an input of the batch, such as its images; stop it before it goes into a loss. */
  gradient(scalar: Expr, input: Expr): Expr
  /** A number that comes with each step, by a name of the method's own: a weight that falls from pass to pass, say. */
  number(name: string): Expr
  /** A tensor that its optimizer trains beside the weights, by a name of the method's own. */
  own(name: string): Expr
  /** Changes from an anchor shrunk by the k-th smallest of all of them, so that the k smallest vanish: anchor + sign(d) max(|d| −
   *  τ, 0). k is a number with a name; 0 changes nothing. Without a gradient. */
  shrinkChanges(weights: Expr, anchor: Expr, k: Expr): Expr
}

const unary = [
  'negate',
  'abs',
  'sign',
  'round',
  'square',
  'sqrt',
  'exp',
  'log',
  'relu',
  'sigmoid',
  'softplus',
  'tanh',
] as const
const binary = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum', 'greater'] as const

/** Adds a node, or finds the equal one that is there. */
export type Push = (op: string, args: readonly Operand[], options?: ExprNode['with']) => Expr

function recorder() {
  const nodes: ExprNode[] = []
  const known = new Map<string, Expr>()
  const mine = new WeakSet<Expr>()
  const push: Push = (op, args, options = {}) => {
    const wrong = Object.values(options).find((value) => typeof value === 'number' && !Number.isFinite(value))
    if (wrong !== undefined) throw new ExpressionError(`${op}: expected a finite number, got ${wrong}`)
    const positions = args.map((arg, i) => {
      if (typeof arg === 'number') {
        if (!Number.isFinite(arg)) throw new ExpressionError(`${op}: expected a finite number, got ${arg}`)
        return push('constant', [], { value: arg }).id
      }
      if (typeof arg !== 'object' || arg === null || !mine.has(arg)) {
        throw new ExpressionError(
          `${op}: expected a number or a value of this loss as argument ${i + 1}, got ${describe(arg)}; values can't be taken from one loss to another`,
        )
      }
      return arg.id
    })
    const key = JSON.stringify([op, positions, options])
    let found = known.get(key)
    if (!found) {
      found = { id: nodes.length }
      nodes.push({ op, args: positions, with: options })
      known.set(key, found)
      mine.add(found)
    }
    return found
  }
  return { nodes, push, mine }
}

const describe = (value: unknown) => (typeof value === 'object' ? 'a value of another loss' : String(value))

const axisOf = (axis: number | undefined): ExprNode['with'] => (axis === undefined ? {} : { axis })

function operationsOf(push: Push): Operations {
  const named = (op: 'number' | 'own') => (name: string) => {
    if (!/^[a-zA-Z][a-zA-Z0-9]*$/.test(name)) throw new ExpressionError(`${op}: expected a name, got "${name}"`)
    return push(op, [], { name })
  }
  const one = Object.fromEntries(unary.map((op) => [op, (a: Operand) => push(op, [a])]))
  const two = Object.fromEntries(binary.map((op) => [op, (a: Operand, b: Operand) => push(op, [a, b])]))
  return {
    ...(one as Pick<Operations, (typeof unary)[number]>),
    ...(two as Pick<Operations, (typeof binary)[number]>),
    power: (a, exponent) => push('power', [a], { exponent }),
    clip: (a, low, high) => push('clip', [a], { low, high }),
    where: (condition, a, b) => push('where', [condition, a, b]),
    sum: (a, axis) => push('sum', [a], axisOf(axis)),
    mean: (a, axis) => push('mean', [a], axisOf(axis)),
    norm: (a) => push('norm', [a]),
    dot: (a, b) => push('dot', [a, b]),
    softmax: (a) => push('softmax', [a]),
    logSoftmax: (a) => push('logSoftmax', [a]),
    logSumExp: (a) => push('logSumExp', [a]),
    pick: (a, labels) => push('pick', [a, labels]),
    argMax: (a) => push('argMax', [a]),
    oneHot: (labels, classes) => push('oneHot', [labels], { classes }),
    crossEntropy: (logits, labels) => push('crossEntropy', [logits, labels]),
    squaredError: (a, b, reduction) => push('squaredError', [a, b], { reduction }),
    stop: (a) => push('stop', [a]),
    gradient: (scalar, input) => push('gradient', [scalar, input]),
    number: named('number'),
    own: named('own'),
    shrinkChanges: (weights, anchor, k) => push('shrinkChanges', [weights, anchor, k]),
  }
}

/** Runs a function on values of its task and gives what it recorded. `values` makes those values, given a way to add nodes.
 *  Throws ExpressionError for what no loss can be made of. */
export function record<Values>(
  build: (values: Values & Operations) => Expr,
  values: (push: Push) => Values,
): Recording {
  const { nodes, push, mine } = recorder()
  // Getters of `values` stay getters: what a loss doesn't look at is not part of it.
  const given = Object.defineProperties(operationsOf(push), Object.getOwnPropertyDescriptors(values(push)))
  const output = build(given as Values & Operations)
  if (typeof output !== 'object' || output === null || !mine.has(output)) {
    throw new ExpressionError(`a loss must give one of the values that it made, got ${describe(output)}`)
  }
  return { nodes, output: output.id }
}

/** Nodes of a recording that are of this kind. */
export const nodesOf = ({ nodes }: Recording, op: string): readonly ExprNode[] => nodes.filter((node) => node.op === op)
