/** A loss that was recorded in the sandbox, checked and made again by the host's own functions: what the trainer gets is a recording
 *  of the same operations, and nothing that the sandbox could have forged. */
import { z } from 'zod'
import type { Expr, Operand, Operations, Recording } from '../science/expression.ts'
import type { DirectionValues, Kept, WeightValues } from '../science/method.ts'
import type { ClassifierValues } from '../science/tasks/classification/vocabulary.ts'
import { faultIn } from './faults-in.ts'

/** Classes of `oneHot`, and entries of a label. */
export const MOST_CLASSES = 32_768

export const recordingWithin = (most: number) =>
  z.strictObject({
    nodes: z
      .array(
        z.strictObject({
          op: z.string().max(40),
          args: z.array(z.int().min(0)).max(4),
          with: z.record(z.string().max(20), z.union([z.number(), z.string().max(60), z.boolean(), z.null()])),
        }),
      )
      .min(1)
      .max(most, `expected at most ${most} operations in one loss`),
    output: z.int().min(0),
  })

/** Everything that any loss, penalty or direction may look at. */
type AllValues = ClassifierValues & DirectionValues & WeightValues & Operations
type Build = (values: AllValues, args: Operand[]) => Operand
type KeptBy = (number: number) => Kept
interface Rule {
  arity: readonly [least: number, most: number]
  build(given: unknown, kept: KeptBy): Build
}

const rule = <T>(
  arity: number | readonly [number, number],
  given: z.ZodType<T>,
  build: (given: T, kept: KeptBy) => Build,
): Rule => ({
  arity: typeof arity === 'number' ? [arity, arity] : arity,
  build(found, kept) {
    const { data, error } = given.safeParse(found)
    if (error) throw new Error(faultIn(error, 'in a loss'))
    return build(data, kept)
  },
})
const nothing = z.strictObject({})
/** An operation that is called as it is named, with what it is told behind its arguments. */
const plain = (op: keyof Operations, arity: number, options: Record<string, z.ZodType> = {}): [string, Rule] => [
  op,
  rule(arity, z.strictObject(options), (given) => (values, args) => {
    const words = Object.keys(options).map((name) => (given as Record<string, unknown>)[name])
    return (values[op] as (...all: unknown[]) => Expr)(...args, ...words)
  }),
]
const look = (name: 'images' | 'labels' | 'uniform' | 'factor' | 'weights'): [string, Rule] => [
  name,
  rule(0, nothing, () => (values) => values[name]),
]
const answer = (op: 'logits' | 'features'): [string, Rule] => [
  op,
  rule([0, 1], z.strictObject({ net: z.int().nullable(), evaluation: z.boolean() }), ({ net, evaluation }, kept) => {
    const asked = { evaluation, ...(net !== null && { of: kept(net) }) }
    return (values, [images]) => {
      const how = images ? { ...asked, images: images as Expr } : asked
      return op === 'logits' ? values.logitsOf(how) : values.featuresOf(how)
    }
  }),
]
const term = z.strictObject({ term: z.int().min(0) })

const unary =
  'negate abs sign round square sqrt exp log relu sigmoid softplus tanh norm softmax logSoftmax logSumExp argMax stop'
const binary = 'add subtract multiply divide maximum minimum greater dot pick crossEntropy gradient'
const each = (names: string, arity: number) => names.split(' ').map((op) => plain(op as keyof Operations, arity))
const axis = { axis: z.int().min(-4).max(8).optional() }
const named = { name: z.string().max(60) }

const shared: [string, Rule][] = [
  [
    'constant',
    rule(
      0,
      z.strictObject({ value: z.number() }),
      ({ value }) =>
        () =>
          value,
    ),
  ],
  ...each(unary, 1),
  ...each(binary, 2),
  plain('where', 3),
  plain('shrinkChanges', 3),
  plain('power', 1, { exponent: z.number() }),
  plain('clip', 1, { low: z.number(), high: z.number() }),
  plain('sum', 1, axis),
  plain('mean', 1, axis),
  plain('oneHot', 1, { classes: z.int().min(1).max(MOST_CLASSES) }),
  plain('squaredError', 2, { reduction: z.enum(['sum', 'mean']) }),
  plain('number', 0, named),
  plain('own', 0, named),
]
const ofWeights: [string, Rule][] = [
  look('weights'),
  [
    'weightsOf',
    rule(0, z.strictObject({ kept: z.int() }), ({ kept: number }, kept) => {
      const of = kept(number)
      return (values) => values.weightsOf(of)
    }),
  ],
]
const rules = {
  /** Of a term. */
  loss: new Map([
    ...shared,
    ...(['images', 'labels', 'uniform', 'factor'] as const).map(look),
    ...(['logits', 'features'] as const).map(answer),
  ]),
  /** Of a penalty, and of what becomes of weights after a step. */
  weights: new Map([...shared, ...ofWeights]),
  direction: new Map<string, Rule>([
    ...shared,
    ...ofWeights,
    [
      'loss',
      rule(
        0,
        term,
        ({ term }) =>
          (values) =>
            values.loss(term),
      ),
    ],
    [
      'gradientOf',
      rule(
        0,
        term,
        ({ term }) =>
          (values) =>
            values.gradient(term),
      ),
    ],
    [
      'lossAt',
      rule(
        1,
        term,
        ({ term }) =>
          (values, [weights]) =>
            values.lossAt(term, weights as Expr),
      ),
    ],
    [
      'gradientAt',
      rule(
        1,
        term,
        ({ term }) =>
          (values, [weights]) =>
            values.gradientAt(term, weights as Expr),
      ),
    ],
  ]),
}

/** A function that records the same again. Throws Error for what no recording of that kind holds. */
export function buildOf(
  { nodes, output }: Recording,
  kind: keyof typeof rules,
  kept: KeptBy,
): (values: object) => Expr {
  const steps = nodes.map(({ op, args, with: given }, position) => {
    const found = (rules[kind] as Map<string, Rule>).get(op)
    if (!found)
      throw new Error(`${op}: there is no such operation in ${kind === 'loss' ? 'a loss' : `an expression of ${kind}`}`)
    const [least, most] = found.arity
    if (args.length < least || args.length > most || args.some((arg) => arg >= position))
      throw new Error(`${op}: expected ${most} earlier values, got [${args}]`)
    return { args, build: found.build(given, kept) }
  })
  if (output >= nodes.length) throw new Error('a loss must give one of the values that it made')
  return (values) => {
    const made: Operand[] = []
    for (const { args, build } of steps) {
      const operands = args.map((arg) => made[arg]!)
      made.push(build(values as AllValues, operands))
    }
    return made[output] as Expr
  }
}
