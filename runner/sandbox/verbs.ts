/** What the host answers to a method in the sandbox: verbs of the trainer, whose arguments were checked, on models, optimizers and
 *  masks that it handed out itself. */
import type { z } from 'zod'
import type { Expr, Recording } from '../science/expression.ts'
import type { Mask } from '../science/mask.ts'
import type { Context, Kept, Optimizer, OptimizerOptions, Span, Term } from '../science/method.ts'
import type { ClassifierBatch, ClassifierTypes } from '../science/tasks/classification/vocabulary.ts'
import type { Arguments, Given } from './arguments.ts'
import { faultIn } from './faults-in.ts'
import { buildOf } from './recordings.ts'

type Params = Record<string, unknown>
type ClassifierTerm = Term<ClassifierTypes>

/** Calls back into the sandbox, while a verb computes. */
export type Invoke = (lent: number, name: string, given: readonly unknown[]) => unknown

interface VerbOptions {
  context: Pick<Context<ClassifierTypes, Params>, 'trainer' | 'random'>
  schemas: Arguments
  invoke: Invoke
}

/** What a method gave can't be taken. */
class ArgumentError extends Error {
  override name = 'ArgumentError'
}

type Table = { readonly [verb: string]: (given: unknown) => unknown }

/** Verbs that are done at once, and verbs that compute. Throws Error with the first thing that is wrong. */
export function verbsOf({ context: { trainer, random }, schemas, invoke }: VerbOptions): {
  atOnce: Table
  computing: Table
} {
  const kept: Kept[] = []
  const optimizers: Optimizer<ClassifierTypes>[] = []
  const masks: Mask[] = []

  function checked<Name extends keyof Arguments>(verb: Name, given: unknown): Given<Name> {
    const { data, error } = (schemas[verb] as z.ZodType as z.ZodType<Given<Name>>).safeParse(given)
    if (error) throw new ArgumentError(faultIn(error, verb))
    return data
  }
  const verb = <Name extends keyof Arguments>(name: Name, answer: (given: Given<Name>) => unknown) =>
    [name, (given: unknown) => answer(checked(name, given))] as const

  const handed = <T>(list: T[], number: number, what: string): T => {
    const found = list[number]
    if (found === undefined)
      throw new Error(`expected ${what} that the trainer gave, got number ${number} of ${list.length}`)
    return found
  }
  const keptBy = (number: number) => handed(kept, number, 'a kept model')
  const optimizerBy = (number: number) => handed(optimizers, number, 'an optimizer')
  const expression = (found: Recording, kind: Parameters<typeof buildOf>[1]) => buildOf(found, kind, keptBy)
  const lossOf = (found: Recording) => expression(found, 'loss') as ClassifierTerm['loss']
  const termOf = ({ on, loss, weight }: Given<'gradient'>['term']): ClassifierTerm => ({
    on: on as ClassifierBatch,
    loss: lossOf(loss),
    ...(weight !== undefined && { weight }),
  })

  /** The trainer tells masks apart by what they are, so that one that came back is the one that went. */
  function maskBy(mask: Mask): Mask {
    const known = masks.find((one) =>
      [...mask].every(([name, entries]) => Buffer.compare(one.get(name)!, entries) === 0),
    )
    if (!known) masks.push(mask)
    return known ?? mask
  }

  function optionsOf({ mask, penalty, direction, after, own, ...rest }: Given<'adam'>) {
    const options = {
      ...rest,
      ...(mask && { mask: maskBy(mask) }),
      ...(penalty && { penalty: expression(penalty, 'weights') }),
      ...(direction && { direction: expression(direction, 'direction') }),
      ...(after && { after: expression(after, 'weights') }),
      ...(own && { own: Object.fromEntries(own) }),
    }
    return options as OptimizerOptions
  }

  function spanOf({ learningRate, numbers, ...rest }: Given<'descend'>['span']): Span {
    const byStep = (value: number | Float64Array) =>
      typeof value === 'number' ? value : (step: number) => value[step]!
    const span = {
      ...rest,
      ...(learningRate !== undefined && { learningRate: byStep(learningRate) }),
      // Without a prototype, so that no name is there that was not given.
      ...(numbers && {
        numbers: Object.assign(
          Object.create(null),
          Object.fromEntries([...numbers].map(([name, value]) => [name, byStep(value)])),
        ),
      }),
    }
    return span as Span
  }

  /** What a function of the method gave, as an array of numbers. */
  const state = (lent: number, name: string, given: unknown[]) => checked('state', invoke(lent, name, given))

  const atOnce = Object.fromEntries([
    verb(
      'sgd',
      (options) =>
        optimizers.push(
          trainer.sgd({ ...optionsOf(options), momentum: options.momentum, weightDecay: options.weightDecay }),
        ) - 1,
    ),
    verb('adam', (options) => optimizers.push(trainer.adam(optionsOf(options))) - 1),
    ['keep', () => kept.push(trainer.keep()) - 1],
    ['fresh', () => kept.push(trainer.fresh()) - 1],
    verb('hold', ({ values }) => kept.push(trainer.hold(values)) - 1),
    verb('retake', ({ kept, values }) => keptBy(kept).retake(values)),
    verb('integer', ({ bound }) => random.integer(bound)),
    verb('shuffle', ({ items }) => random.shuffle(items)),
    ['uniform', () => random.uniform()],
    ['normal', () => random.normal()],
  ] as [string, Table[string]][])

  const computing = Object.fromEntries([
    verb('descend', ({ optimizer, terms, span }) => optimizerBy(optimizer).descend(terms.map(termOf), spanOf(span))),
    verb('takeAverage', ({ optimizer }) => optimizerBy(optimizer).takeAverage()),
    verb('own', ({ optimizer, name }) => optimizerBy(optimizer).own(name)),
    verb('mask', async ({ of, clipNorm, ...how }) => {
      const mask = await trainer.mask({ ...how, of: termOf(of), ...(clipNorm !== undefined && { clipNorm }) })
      masks.push(mask)
      return mask
    }),
    verb('gradient', ({ term, options }) => trainer.gradient(termOf(term), options)),
    verb('importance', ({ term, options }) => trainer.importance(termOf(term), options)),
    verb('foldGradients', ({ term, initial, lent }) =>
      trainer.foldGradients(termOf(term), initial, (...given) => state(lent, 'step', given)),
    ),
    verb('evaluate', ({ on, value }) => trainer.evaluate(on as ClassifierBatch, lossOf(value))),
    verb('foldValues', ({ value, initial, lent }) =>
      trainer.foldValues(
        lossOf(value) as (values: object) => Expr,
        initial,
        (...given) => checked('batch', invoke(lent, 'on', given)) as ClassifierBatch | null,
        (...given) => state(lent, 'step', given),
      ),
    ),
    ['read', () => trainer.read()],
    verb('write', ({ values }) => trainer.write(values)),
    verb('restore', ({ kept }) => trainer.restore(keptBy(kept))),
    verb('reinitialise', ({ names }) => trainer.reinitialise(({ name }) => names.includes(name))),
  ] as [string, Table[string]][])

  return { atOnce, computing }
}
