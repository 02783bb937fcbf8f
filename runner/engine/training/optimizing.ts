/** The optimizers of a trainer: those that methods ask for, and those of a training's recipe. */
import type { OptimizerSpec } from '../../../schema/parts/recipe.ts'
import { type Expr, ExpressionError, type Push, type Recording, record } from '../../science/expression.ts'
import type { Mask } from '../../science/mask.ts'
import type { Optimizer, OptimizerOptions, TaskTypes, Term, Trainer } from '../../science/method.ts'
import { directionValues, weightValues } from '../../science/weight-values.ts'
import { feedName } from '../nn/variables.ts'
import { floats, sizeOf, type Tensor } from '../onnx/tensor.ts'
import { type Descent, type DescentContext, type RecordedTerm, takePass, takeSteps } from './descent.ts'
import type { Within } from './half-done.ts'
import { asFloats, asJson } from './outcomes.ts'
import { ownName } from './step-program.ts'

/** How the recipe of a training descends, beside what methods can say. */
export interface FitOptions {
  spec: OptimizerSpec
  /** What messages name. */
  learningRate: number
  clipNorm: number | null
  /** Decay of a moving average of the weights; null keeps none. */
  average?: number | null
}

export interface FitSpan {
  rate(step: number): number
  phase: string
  /** How much of the stage is done, by the share of this run that is; left out where training is not all of it. */
  share?: (done: number) => number
}

export interface FitOptimizer<T extends TaskTypes> {
  pass(terms: readonly Term<T>[], span: FitSpan): Promise<number>
  steps(terms: readonly Term<T>[], count: number, span: FitSpan): Promise<number>
  /** The moving average of the weights. Throws where none was asked for. */
  average(): ReadonlyMap<string, Tensor>
}

export interface Optimizing<T extends TaskTypes> extends Pick<Trainer<T>, 'sgd' | 'adam'> {
  fit(options: FitOptions): FitOptimizer<T>
  /** Every mask that an optimizer was given, or that was asked for, once. */
  masks(): Mask[]
  /** Mean losses so far: of each pass, and of each twentieth of a run of steps. */
  losses(): number[]
}

const ADAM = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const satisfies OptimizerSpec

/** `purpose` begins the names of all draws; `look` comes after each run. */
export function optimizingOf<T extends TaskTypes>(
  context: DescentContext<T> & { purpose: string; look(): Promise<void> },
): Optimizing<T> {
  const { objective, memory, purpose, look } = context
  const losses: number[] = []
  const masks = new Set<Mask>()
  let stepRuns = 0
  let passes = 0
  const drawnPass = () => `${purpose}/pass/${passes++}`
  const drawnSteps = () => `${purpose}/${stepRuns++}`
  function recorded(terms: readonly Term<T>[]): RecordedTerm<T>[] {
    if (terms.length === 0) throw new ExpressionError('expected a term to descend, got none')
    return terms.map(({ on, loss, weight = 1 }) => ({ on, loss: record(loss, objective.values), weight }))
  }

  /** Each run gives the losses to report. */
  async function descend(take: (within: Within | null) => Promise<number[]>): Promise<number> {
    const found = await memory.perform(asJson<number[]>(), take)
    for (const loss of found) losses.push(loss)
    await look()
    return found.reduce((sum, loss) => sum + loss, 0) / found.length
  }

  /** How many examples the first term has. */
  function itemsOf(terms: readonly RecordedTerm<T>[]): number {
    const items = objective.population(terms[0]!.on)
    if (items === 0) throw new Error('a pass goes over the items of its first term, but that has none; ask for steps')
    return items
  }

  function begin(
    spec: OptimizerSpec,
    { learningRate, clipNorm = null, mask, freeze = 'hard', average = null, own = {}, ...more }: OptimizerOptions,
  ): Descent {
    const ownTensors = Object.entries(own).map(([name, { shape, values }]) => {
      const size = sizeOf(shape)
      if (values.length !== size)
        throw new ExpressionError(`own("${name}"): expected ${size} values for [${shape}], got ${values.length}`)
      return [ownName(name), floats(shape, Float32Array.from(values))] as const
    })
    const number = memory.optimizers.push(new Map(ownTensors)) - 1
    if (mask) masks.add(mask)
    const recordedBy = <V>(
      build: ((values: V) => Expr) | undefined,
      values: (push: Push) => object,
    ): Recording | null => (build ? record(build as (values: object) => Expr, values) : null)
    const penalty = recordedBy(more.penalty, weightValues)
    const direction = recordedBy(more.direction, directionValues)
    const after = recordedBy(more.after, weightValues)
    const shapes = ownTensors.map(([name, { shape }]) => ({ name, shape }))
    return { number, spec, learningRate, clipNorm, mask, freeze, average, penalty, direction, after, own: shapes }
  }

  function optimizer(spec: OptimizerSpec, how: OptimizerOptions): Optimizer<T> {
    const own = begin(spec, how)
    let pass = 0
    return {
      async descend(terms, span) {
        const all = recorded(terms)
        const { learningRate: given = how.learningRate, numbers = {} } = span
        const rate = typeof given === 'number' ? () => given : given
        const { clipNorm = own.clipNorm, direction = own.direction, average = own.average } = span
        const descent = { ...own, clipNorm, direction, average }
        const common = { rate, learningRate: rate(0), numbers }
        if ('steps' in span) {
          const run = { ...common, phase: 'unlearning', drawn: drawnSteps() }
          return descend((within) => takeSteps(context, descent, all, span.steps, run, within))
        }
        let loss = Number.NaN
        for (let i = 0; i < span.passes; i++) {
          const run = { ...common, phase: `pass ${++pass}`, drawn: drawnPass(), items: itemsOf(all) }
          loss = await descend((within) => takePass(context, descent, all, run, within))
        }
        return loss
      },
      takeAverage: () =>
        memory
          .perform(asJson<null>(), async () => {
            memory.state = new Map([...memory.state, ...averageOf(own)])
            return null
          })
          .then(() => {}),
      own: (name) =>
        memory.perform(asFloats, async () => {
          const tensor = memory.optimizers[own.number]!.get(ownName(name))
          if (!tensor) throw new ExpressionError(`own("${name}"): this optimizer trains no tensor of that name`)
          return Float32Array.from(tensor.data as Float32Array)
        }),
    }
  }

  function averageOf({ number }: Descent): ReadonlyMap<string, Tensor> {
    const slots = memory.optimizers[number]
    return new Map(
      objective.parameters.map(({ name }) => {
        const mean = slots?.get(feedName(name, 'average'))
        if (!mean) throw new Error('no moving average of the weights was kept')
        return [name, mean]
      }),
    )
  }

  return {
    sgd: ({ momentum, weightDecay, ...rest }) =>
      optimizer({ kind: 'sgd', momentum, weightDecay, nesterov: false }, rest),
    adam: ({ weightDecay = 0, ...how }) =>
      optimizer(weightDecay > 0 ? { ...ADAM, kind: 'adamw', weightDecay } : ADAM, how),
    fit({ spec, ...how }) {
      const descent = begin(spec, how)
      const common = { learningRate: how.learningRate, numbers: {} }
      return {
        async pass(terms, span) {
          const all = recorded(terms)
          const own = { ...common, ...span, drawn: drawnPass(), items: itemsOf(all) }
          return descend((within) => takePass(context, descent, all, own, within))
        },
        async steps(terms, count, span) {
          const own = { ...common, ...span, drawn: drawnSteps() }
          return descend((within) => takeSteps(context, descent, recorded(terms), count, own, within))
        },
        average: () => averageOf(descent),
      }
    },
    losses: () => losses,
    masks: () => [...masks],
  }
}
