/** The trainer that methods are handed, for every task: the weights of a model, and verbs that move them or ask about them. What is
 *  trained and what a loss may look at is the objective's business. */
import type { OptimizerSpec } from '../../../schema/parts/recipe.ts'
import type { Progress } from '../../../schema/result.ts'
import { type Expr, type Operations, type Push, type Recording, record } from '../../science/expression.ts'
import { maskByScore, randomMask } from '../../science/mask.ts'
import type {
  DirectionValues,
  Kept,
  Optimizer,
  OptimizerOptions,
  TaskTypes,
  Term,
  Trainer,
  WeightValues,
} from '../../science/method.ts'
import type { Parameter } from '../../science/weights.ts'
import type { Checkpoint } from '../../store/checkpoint.ts'
import { createExecutor, type Executor } from '../nn/executor.ts'
import { initialState } from '../nn/variables.ts'
import type { Provider } from '../onnx/session.ts'
import { floats, sizeOf, type Tensor } from '../onnx/tensor.ts'
import { type Descent, type DescentContext, type RecordedTerm, takePass, takeSteps } from './descent.ts'
import { eachGradient, sumGradients, valuesOf } from './look.ts'
import { createMemory, type Memory } from './memory.ts'
import type { Objective } from './objective.ts'
import { asArrays, asFloats, asJson } from './outcomes.ts'

export { DivergenceError } from './descent.ts'

export interface TrainerOptions<T extends TaskTypes> {
  objective: Objective<T>
  /** Parameters and buffers to begin with. */
  state: ReadonlyMap<string, Tensor>
  seed: number
  /** What the trainer is for: keeps the draws of training and unlearning apart. */
  purpose: string
  threads: number
  provider?: Provider | undefined
  /** Where onnxruntime writes a profile of every node. */
  profilePrefix?: string | undefined
  signal: AbortSignal
  onProgress(progress: Progress): void
  checkpoint?: Checkpoint | undefined
}

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
  /** How much of the stage is done, by the share of this run that is. */
  share(done: number): number
}

export interface FitOptimizer<T extends TaskTypes> {
  pass(terms: readonly Term<T>[], span: FitSpan): Promise<number>
  steps(terms: readonly Term<T>[], count: number, span: FitSpan): Promise<number>
  /** The moving average of the weights. Throws where none was asked for. */
  average(): ReadonlyMap<string, Tensor>
}

export interface StageTrainer<T extends TaskTypes> extends Trainer<T> {
  /** Parameters and buffers as they are now. */
  state(): ReadonlyMap<string, Tensor>
  /** An optimizer for the recipe of a training. */
  fit(options: FitOptions): FitOptimizer<T>
  /** For further verbs of a task: they are answered from a checkpoint like all others. */
  memory: Memory
  executor: Executor
  /** Mean losses so far: of each pass, and of each twentieth of a run of steps. */
  losses(): number[]
  /** Seconds spent on masks, on compiling graphs and on everything else so far, earlier attempts included but for compiling. */
  seconds(): { mask: number; compile: number; work: number }
  release(): Promise<void>
}

const ADAM: OptimizerSpec = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }

export function createTrainer<T extends TaskTypes>(options: TrainerOptions<T>): StageTrainer<T> {
  const { objective, seed, purpose, onProgress, checkpoint } = options
  const executor = createExecutor(options)
  const began = performance.now()
  const losses: number[] = []
  let maskSeconds = 0
  let stepRuns = 0
  let passes = 0
  const parameters: Parameter[] = objective.parameters.map(({ name, shape }) => ({ name, shape, size: sizeOf(shape) }))
  const seconds = () => {
    const compile = executor.compileSeconds()
    const work = (performance.now() - began) / 1000 - compile - maskSeconds
    return { mask: memory.earlier.mask + maskSeconds, compile, work: memory.earlier.work + work }
  }
  const memory = createMemory({ initial: options.state, seed, purpose, checkpoint, seconds })
  const context: DescentContext<T> = { objective, executor, memory, seed, onProgress }
  const looking = { ...context, purpose }
  const lossOf = (build: (values: T['values'] & Operations) => Expr): Recording => record(build, objective.values)
  const recorded = (terms: readonly Term<T>[]): RecordedTerm<T>[] =>
    terms.map(({ on, loss, weight = 1 }) => ({ on, loss: lossOf(loss), weight }))
  const weighted = ({ on, loss, weight = 1 }: Term<T>, phase: string) => ({
    on,
    loss: lossOf(weight === 1 ? loss : (values) => values.multiply(loss(values), weight)),
    phase,
  })

  /** Each run of an optimizer gives the losses to report. */
  async function descend(take: Parameters<typeof memory.perform<number[]>>[1]): Promise<number> {
    const found = await memory.perform(asJson<number[]>(), take)
    losses.push(...found)
    return found.reduce((sum, loss) => sum + loss, 0) / found.length
  }
  const drawnPass = () => `${purpose}/pass/${passes++}`
  const drawnSteps = () => `${purpose}/${stepRuns++}`

  function begin(
    spec: OptimizerSpec,
    {
      learningRate,
      clipNorm = null,
      mask,
      freeze = 'hard',
      average = null,
      ...more
    }: OptimizerOptions & { average?: number | null },
  ): Descent {
    const number = memory.optimizers.push(new Map()) - 1
    const penalty = more.penalty ? record(more.penalty, weightValues) : null
    const direction = more.direction ? record(more.direction, directionValues) : null
    const after = more.after ? record(more.after, weightValues) : null
    return { number, spec, learningRate, clipNorm, mask, freeze, average, penalty, direction, after }
  }

  function optimizer(spec: OptimizerSpec, how: OptimizerOptions): Optimizer<T> {
    const descent = begin(spec, how)
    let pass = 0
    return {
      async descend(terms, span) {
        const all = recorded(terms)
        const { learningRate = how.learningRate, numbers = {} } = span
        const common = { rate: () => learningRate, learningRate, numbers }
        if ('steps' in span) {
          const own = { ...common, phase: 'unlearning', drawn: drawnSteps() }
          return descend((within) => takeSteps(context, descent, all, span.steps, own, within))
        }
        let loss = Number.NaN
        for (let i = 0; i < span.passes; i++) {
          const own = { ...common, phase: `pass ${++pass}`, drawn: drawnPass(), items: populationOf(all) }
          loss = await descend((within) => takePass(context, descent, all, own, within))
        }
        return loss
      },
    }
  }

  /** How many examples the first term has. */
  function populationOf(terms: readonly RecordedTerm<T>[]): number {
    const [first] = terms
    if (!first) throw new Error('expected a term to descend, got none')
    const population = objective.population(first.on)
    if (population === 0)
      throw new Error('a pass goes over the items of its first term, but that has none; ask for steps')
    return population
  }

  function keepModel(values: ReadonlyMap<string, Tensor>, given = false): Kept {
    const number = memory.kept.push({ values, given }) - 1
    return {
      number,
      retake() {
        memory.kept[number] = { values: memory.state, given: false }
      },
    }
  }
  const fresh = () =>
    initialState({ parameters: [...objective.parameters], buffers: [...objective.buffers] }, seed, `${purpose}/fresh`)

  return {
    parameters,
    sgd: ({ momentum, weightDecay, ...rest }) =>
      optimizer({ kind: 'sgd', momentum, weightDecay, nesterov: false }, rest),
    adam: (how) => optimizer(ADAM, how),
    keep: () => keepModel(memory.state),
    fresh: () => keepModel(fresh(), true),
    hold: (values) =>
      keepModel(new Map(parameters.map((parameter) => [parameter.name, tensorOf(values, parameter)])), true),
    mask({ kind, density, of, clipNorm = null }) {
      return memory.perform(asArrays<Uint8Array>('U8'), async () => {
        const [from, compiled] = [performance.now(), executor.compileSeconds()]
        try {
          if (kind === 'random') return randomMask(parameters, density, memory.stream('mask'))
          const sums = await sumGradients(looking, weighted(of, 'mask'), { clipNorm, gives: 'sum' })
          return maskByScore(sums, { kind, density })
        } finally {
          maskSeconds += (performance.now() - from) / 1000 - (executor.compileSeconds() - compiled)
        }
      })
    },
    select: (choose) => {
      return new Map(parameters.map((one) => [one.name, new Uint8Array(one.size).fill(choose(one) ? 1 : 0)]))
    },
    gradient: (term, { clipNorm = null } = {}) =>
      memory.perform(asArrays<Float32Array>('F32'), () =>
        sumGradients(looking, weighted(term, 'gradient'), { clipNorm, gives: 'sum' }),
      ),
    importance: (term) =>
      memory.perform(asArrays<Float32Array>('F32'), async () => {
        let batches = 0
        const sums = await sumGradients(looking, weighted(term, 'Fisher information'), {
          clipNorm: null,
          gives: 'squares',
          onBatches: (count) => {
            batches += count
          },
        })
        return new Map([...sums].map(([name, sum]) => [name, sum.map((square) => square / batches)]))
      }),
    foldGradients: (term, initial, step) =>
      memory.perform(asFloats, async () => {
        let sum = initial
        let batch = 0
        await eachGradient(looking, weighted(term, 'gradients'), (gradient) => {
          sum = step(sum, gradient, batch++)
        })
        return sum
      }),
    evaluate: (on, value) =>
      memory.perform(asFloats, () => valuesOf(looking, { on, loss: lossOf(value), phase: 'values' })),
    read: () =>
      memory.perform(
        asArrays<Float32Array>('F32'),
        async () =>
          new Map(
            parameters.map(({ name }) => [name, Float32Array.from(memory.state.get(name)!.data as Float32Array)]),
          ),
      ),
    async write(weights) {
      const known = new Map(parameters.map((parameter) => [parameter.name, parameter]))
      const replaced = [...weights].map(([name]): [string, Tensor] => {
        const parameter = known.get(name)
        if (!parameter)
          throw new Error(`write: expected a parameter, got "${name}"; there are ${[...known.keys()].join(', ')}`)
        return [name, tensorOf(weights, parameter)]
      })
      await memory.perform(asJson<null>(), async () => {
        memory.state = new Map([...memory.state, ...replaced])
        return null
      })
    },
    async reinitialise(choose) {
      await memory.perform(asJson<null>(), async () => {
        const values = fresh()
        const chosen = parameters.filter(choose)
        memory.state = new Map([...memory.state, ...chosen.map(({ name }) => [name, values.get(name)!] as const)])
        return null
      })
    },
    fit({ spec, learningRate, clipNorm, average = null }) {
      const descent = begin(spec, { learningRate, clipNorm, average })
      const common = { learningRate, numbers: {} }
      return {
        async pass(terms, span) {
          const all = recorded(terms)
          const own = { ...common, ...span, drawn: drawnPass(), items: populationOf(all) }
          return descend((within) => takePass(context, descent, all, own, within))
        },
        async steps(terms, count, span) {
          const own = { ...common, ...span, drawn: drawnSteps() }
          return descend((within) => takeSteps(context, descent, recorded(terms), count, own, within))
        },
        average() {
          const slots = memory.optimizers[descent.number]!
          return new Map(
            objective.parameters.map(({ name }) => {
              const mean = slots.get(`${name}:average`)
              if (!mean) throw new Error('no moving average of the weights was kept')
              return [name, mean]
            }),
          )
        },
      }
    },
    memory,
    executor,
    state: () => memory.state,
    losses: () => losses,
    seconds,
    release: executor.release,
  }
}

function tensorOf(values: ReadonlyMap<string, Float32Array>, { name, shape, size }: Parameter): Tensor {
  const found = values.get(name)
  if (!found) throw new Error(`expected values for every parameter, got none for ${name}`)
  if (found.length !== size) throw new Error(`expected ${size} values for ${name} [${shape}], got ${found.length}`)
  return floats(shape, Float32Array.from(found))
}

function weightValues(push: Push): WeightValues {
  return {
    get weights() {
      return push('weights', [])
    },
    weightsOf: ({ number }) => push('weightsOf', [], { kept: number }),
  }
}

function directionValues(push: Push): DirectionValues {
  return Object.defineProperties(
    {
      loss: (term: number) => push('loss', [], { term }),
      gradient: (term: number) => push('gradientOf', [], { term }),
      lossAt: (term: number, weights: Expr) => push('lossAt', [weights], { term }),
      gradientAt: (term: number, weights: Expr) => push('gradientAt', [weights], { term }),
    },
    Object.getOwnPropertyDescriptors(weightValues(push)),
  ) as DirectionValues
}
