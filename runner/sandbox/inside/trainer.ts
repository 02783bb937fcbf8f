/** The trainer that a method in the sandbox is handed. It has the verbs of runner/science/method.ts; losses are recorded here and
 *  leave as data, models and optimizers are numbers that the host gave. */
import { type Expr, type Operations, record } from '../../science/expression.ts'
import type { Mask } from '../../science/mask.ts'
import type { Kept, Optimizer, OptimizerOptions, RandomStream, Span, Term, Trainer } from '../../science/method.ts'
import { classifierValues } from '../../science/tasks/classification/values.ts'
import type {
  ClassifierBatch,
  ClassifierTypes,
  ClassifierValues,
} from '../../science/tasks/classification/vocabulary.ts'
import { directionValues, weightValues } from '../../science/weight-values.ts'
import type { Parameter, Weights } from '../../science/weights.ts'
import type { Border, Callback } from './border.ts'

type ClassifierTerm = Term<ClassifierTypes>
type ByStep = number | ((step: number) => number)

const batchOf = ({ items, labels, factors, from, beside, ...rest }: ClassifierBatch) => ({
  ...rest,
  items: Int32Array.from(items),
  ...(labels && { labels: Int32Array.from(labels) }),
  ...(factors && { factors: Float64Array.from(factors) }),
  ...(from && { from: { images: from.images, labels: Int32Array.from(from.labels) } }),
  ...(beside && { beside: { images: beside.images, labels: Int32Array.from(beside.labels) } }),
})

const valueOfBatch = (build: (values: ClassifierValues & Operations) => Expr) => record(build, classifierValues)

const termOf = ({ on, loss, weight }: ClassifierTerm) => ({
  on: batchOf(on),
  loss: valueOfBatch(loss),
  ...(weight !== undefined && { weight }),
})

/** How many steps a span takes at a time: what changes by step leaves as a table. */
function stepsOf([first]: readonly ClassifierTerm[], span: Span): number {
  if ('steps' in span) return span.steps
  return first ? Math.ceil(first.on.items.length / first.on.batchSize) : 0
}

function spanOf(terms: readonly ClassifierTerm[], { learningRate, numbers, ...span }: Span) {
  const table = (value: ByStep) =>
    typeof value === 'number' ? value : Float64Array.from({ length: stepsOf(terms, span) }, (_, step) => value(step))
  const named = Object.entries(numbers ?? {}).map(([name, value]) => [name, table(value)] as const)
  return {
    ...span,
    ...(learningRate !== undefined && { learningRate: table(learningRate) }),
    ...(numbers && { numbers: new Map(named) }),
  }
}

function optimizerOptionsOf({ mask, penalty, direction, after, own, ...rest }: OptimizerOptions) {
  return {
    ...rest,
    ...(mask && { mask }),
    ...(penalty && { penalty: record(penalty, weightValues) }),
    ...(direction && { direction: record(direction, directionValues) }),
    ...(after && { after: record(after, weightValues) }),
    ...(own && { own: new Map(Object.entries(own)) }),
  }
}

export function trainerOf({ ask, compute, lend }: Border, parameters: readonly Parameter[]): Trainer<ClassifierTypes> {
  function optimizer(verb: 'sgd' | 'adam', options: OptimizerOptions): Optimizer<ClassifierTypes> {
    const number = ask(verb, optimizerOptionsOf(options)) as number
    return {
      descend: (terms, span) =>
        compute('descend', {
          optimizer: number,
          terms: terms.map(termOf),
          span: spanOf(terms, span),
        }) as Promise<number>,
      takeAverage: () => compute('takeAverage', { optimizer: number }) as Promise<never>,
      own: (name) => compute('own', { optimizer: number, name }) as Promise<Float32Array>,
    }
  }
  const keptBy = (number: number): Kept => ({
    number,
    retake: (values) => void ask('retake', { kept: number, ...(values && { values }) }),
  })
  const weights = (verb: string, given: unknown) => compute(verb, given) as Promise<Weights>
  const floats = (verb: string, given: unknown) => compute(verb, given) as Promise<Float32Array>
  const nothing = async (verb: string, given: unknown) => void (await compute(verb, given))
  return {
    parameters,
    sgd: (options) => optimizer('sgd', options),
    adam: (options) => optimizer('adam', options),
    keep: () => keptBy(ask('keep') as number),
    fresh: () => keptBy(ask('fresh') as number),
    hold: (values) => keptBy(ask('hold', { values }) as number),
    mask: ({ of, ...options }) => compute('mask', { ...options, of: termOf(of) }) as Promise<Mask>,
    select: (choose) =>
      new Map(parameters.map((one) => [one.name, new Uint8Array(one.size).fill(choose(one) ? 1 : 0)])),
    gradient: (term, options = {}) => weights('gradient', { term: termOf(term), options }),
    importance: (term, options = {}) => weights('importance', { term: termOf(term), options }),
    foldGradients: (term, initial, step) =>
      floats('foldGradients', { term: termOf(term), initial, lent: lend({ step: step as Callback }) }),
    evaluate: (on, value) => floats('evaluate', { on: batchOf(on), value: valueOfBatch(value) }),
    foldValues(value, initial, on, step) {
      const next = (state: Float32Array, round: number) => {
        const batch = on(state, round)
        return batch && batchOf(batch)
      }
      const lent = lend({ on: next as Callback, step: step as Callback })
      return floats('foldValues', { value: valueOfBatch(value), initial, lent })
    },
    read: () => weights('read', {}),
    write: (values) => nothing('write', { values }),
    restore: ({ number }) => nothing('restore', { kept: number }),
    reinitialise: (choose) => nothing('reinitialise', { names: parameters.filter(choose).map(({ name }) => name) }),
  }
}

/** The method's own random numbers, drawn by the host. */
export const randomOf = ({ ask }: Border): RandomStream => ({
  integer: (bound) => ask('integer', { bound }) as number,
  shuffle: (items) => ask('shuffle', { items }) as Int32Array,
  uniform: () => ask('uniform', {}) as number,
  normal: () => ask('normal', {}) as number,
})
