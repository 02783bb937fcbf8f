/** One run of an optimizer: a pass over the items of its first term, or a number of steps. */
import type { OptimizerSpec } from '../../../schema/parts/recipe.ts'
import type { Progress } from '../../../schema/result.ts'
import { ExpressionError, type Recording } from '../../science/expression.ts'
import type { Mask } from '../../science/mask.ts'
import type { Kept, Span, TaskTypes } from '../../science/method.ts'
import type { Executor } from '../nn/executor.ts'
import { endlessOrder, randomStream } from '../nn/random.ts'
import { feedName, valueFeeds } from '../nn/variables.ts'
import { floats, type Tensor, tensor } from '../onnx/tensor.ts'
import { keptFeeds, maskFeeds } from './feeds.ts'
import type { Within } from './half-done.ts'
import type { Memory } from './memory.ts'
import type { Drawn, Objective } from './objective.ts'
import { carriedBy, numbersBy, type StepShape, stepProgram } from './step-program.ts'

/** The loss is no longer a finite number, so the weights are lost. */
export class DivergenceError extends Error {
  override name = 'DivergenceError'
}

export interface RecordedTerm<T extends TaskTypes> {
  on: T['batch']
  loss: Recording
  weight: number
}

/** An optimizer as it was asked for. */
export interface Descent {
  /** Position among the trainer's optimizers. */
  number: number
  spec: OptimizerSpec
  learningRate: number
  clipNorm: number | null
  mask: Mask | undefined
  freeze: 'gradient' | 'hard'
  average: number | null
  penalty: Recording | null
  direction: Recording | null
  after: Recording | null
  /** Tensors of the method's own, by their names in a step. */
  own: { name: string; shape: readonly number[] }[]
}

export interface RunOptions {
  /** Of a step, and what messages name. */
  rate(step: number): number
  learningRate: number
  numbers: NonNullable<Span['numbers']>
  phase: string
  /** How much of the stage is done, by the share of this run that is; where it is known. */
  share?: ((done: number) => number) | undefined
}

export interface DescentContext<T extends TaskTypes> {
  objective: Objective<T>
  executor: Executor
  memory: Memory
  seed: number
  onProgress(progress: Progress): void
}

/** A run of steps reports this many mean losses. */
const WINDOWS = 20

/** Everything that one program of a run needs. */
interface Part {
  /** Steps [first, end) of the run. */
  first: number
  end: number
  /** Batch sizes by term. */
  batches: number[]
  /** What is done before it, in the unit of progress, and what one of its steps adds. */
  before: number
  each: number
}

/** Takes `count` steps whose batches all come from endless reshuffled passes; `drawn` names the draws. Gives mean losses. */
export async function takeSteps<T extends TaskTypes>(
  context: DescentContext<T>,
  descent: Descent,
  terms: readonly RecordedTerm<T>[],
  count: number,
  { drawn, ...options }: RunOptions & { drawn: string },
  within: Within | null,
): Promise<number[]> {
  const batches = terms.map(({ on }) => context.objective.batchSize(on))
  const windows = Math.min(WINDOWS, count)
  return run(context, descent, terms, {
    ...options,
    drawn,
    parts: [{ first: 0, end: count, batches, before: 0, each: 1 }],
    total: count,
    unit: 'steps',
    windows,
    windowOf: (step) => Math.floor((step * windows) / count),
    sizeOf: () => 1,
    leading: null,
    within,
    streams: {},
  })
}

/** One pass over the first term's items in a fresh random order, the last batch smaller. Gives the mean loss over them. */
export async function takePass<T extends TaskTypes>(
  context: DescentContext<T>,
  descent: Descent,
  terms: readonly RecordedTerm<T>[],
  { items, ...options }: RunOptions & { items: number; drawn: string },
  within: Within | null,
): Promise<number[]> {
  const [batch, ...others] = terms.map(({ on }) => context.objective.batchSize(on)) as [number, ...number[]]
  const order = context.memory.stream('order')
  const streams = { order: order.state() }
  const leading = order.shuffle(Int32Array.from({ length: items }, (_, i) => i))
  const whole = Math.floor(items / batch)
  const rest = items - whole * batch
  return run(context, descent, terms, {
    ...options,
    parts: [
      { first: 0, end: whole, batches: [batch, ...others], before: 0, each: batch },
      { first: whole, end: whole + (rest > 0 ? 1 : 0), batches: [rest, ...others], before: whole * batch, each: rest },
    ],
    total: items,
    unit: 'images',
    windows: 1,
    windowOf: () => 0,
    sizeOf: (step) => (step < whole ? batch : rest),
    leading,
    within,
    streams,
  })
}

interface Run extends RunOptions {
  drawn: string
  parts: Part[]
  total: number
  unit: string
  /** Losses to report, which of them a step goes to, and how much it counts there. */
  windows: number
  windowOf(step: number): number
  sizeOf(step: number): number
  /** Positions of the first term in the order of the pass; null where it is drawn like the others. */
  leading: Int32Array | null
  within: Within | null
  /** Where streams stood before this run drew from them. */
  streams: Record<string, readonly number[]>
}

async function run<T extends TaskTypes>(
  { objective, executor, memory, seed, onProgress }: DescentContext<T>,
  descent: Descent,
  terms: readonly RecordedTerm<T>[],
  { parts, total, unit, windows, windowOf, sizeOf, leading, within, streams, drawn, rate, numbers, ...options }: Run,
): Promise<number[]> {
  const { parameters, buffers } = objective
  const { phase, learningRate } = options
  const asked = { penalty: descent.penalty, direction: descent.direction, after: descent.after }
  const shapeOf = (batches: number[]): StepShape => ({
    optimizer: descent.spec,
    clipNorm: descent.clipNorm,
    mask: descent.mask ? descent.freeze : 'none',
    average: descent.average,
    own: descent.own,
    terms: terms.map(({ on, loss, weight }, k) => ({
      batch: batches[k]!,
      on: objective.shapeOf(on, 'training'),
      loss,
      weight,
    })),
    ...asked,
  })
  const any = shapeOf(terms.map(({ on }) => objective.batchSize(on)))
  const variables = [...parameters, ...buffers]
  const carried = carriedBy(objective, any)
  const values = new Set(variables.map(({ name }) => feedName(name)))
  const slots = carried.filter(({ name }) => !values.has(name))
  // A moving average starts at the weights.
  const averaged = new Map(parameters.map(({ name }) => [feedName(name, 'average'), memory.state.get(name)!]))
  const draws = terms.map(({ on }, k): Drawn => {
    const streamOf = (step: number) => randomStream(seed, `${drawn}/${k}/${step}`)
    return objective.draw(on, { k, use: 'training', streamOf, running: memory.stream, name: `${drawn}/${k}` })
  })
  const populations = terms.map(({ on }) => objective.population(on))
  const orders = populations.map((population, k) => endlessOrder(seed, `${drawn}/${k}`, population))
  const start = (name: string, shape: readonly number[]) =>
    memory.optimizers[descent.number]!.get(name) ??
    averaged.get(name) ??
    floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))
  const feeds: Record<string, Tensor> = {
    ...valueFeeds(variables.map(({ name }) => [name, memory.state.get(name)!])),
    ...Object.fromEntries(slots.map(({ name, shape }) => [name, start(name, shape)])),
    ...(descent.mask && maskFeeds(objective, descent.mask)),
    ...keptFeeds(objective, memory, any),
    ...Object.assign({}, ...draws.map(({ feeds }) => feeds)),
  }
  const missing = numbersBy(any).filter((name) => !(name in numbers))
  if (missing.length > 0)
    throw new ExpressionError(`the loss asks for number("${missing[0]}"); give it with { numbers: { ${missing[0]} } }`)
  const sums = within?.sums ? [...within.sums] : Array.from({ length: windows }, () => 0)
  let done = within?.done ?? 0
  const moved = () => {
    memory.state = new Map(variables.map(({ name }) => [name, feeds[feedName(name)]!]))
    // An average that this run leaves alone stays.
    const before = memory.optimizers[descent.number]!
    memory.optimizers[descent.number] = new Map([...before, ...slots.map(({ name }) => [name, feeds[name]!] as const)])
  }
  const perStep = (first: number, steps: number, of: (step: number) => number) =>
    Float32Array.from({ length: steps }, (_, i) => of(first + i))
  const atMost = draws.map((drawn) => drawn.atMost).find((limit) => limit !== undefined)

  for (const { first, end, batches, before, each } of parts) {
    const doneHere = Math.min(end - first, Math.max(0, Math.ceil((done - before) / Math.max(1, each))))
    const shape = shapeOf(batches)
    if (first + doneHere >= end) continue
    await executor.iterate({
      name: `steps ${JSON.stringify(shape)}`,
      program: () => stepProgram(objective, shape),
      first: first + doneHere,
      end,
      feeds,
      ...(atMost !== undefined && { atMost }),
      async stepFeeds({ first: step, steps }) {
        const weightsOf = (kept?: Kept) =>
          kept
            ? memory.kept[kept.number]!.values
            : new Map(parameters.map(({ name }) => [name, feeds[feedName(name)]!]))
        const own: Record<string, Tensor> = { rates: floats([steps], perStep(step, steps, rate)) }
        for (const name of numbersBy(shape)) {
          const value = numbers[name]!
          const each = Float64Array.from({ length: steps }, (_, i) =>
            typeof value === 'number' ? value : value(step + i),
          )
          const wrong = each.find((value) => !Number.isFinite(value))
          if (wrong !== undefined)
            throw new ExpressionError(`number("${name}"): expected a finite number, got ${wrong}`)
          own[`number.${name}`] = tensor('float64', [steps], each)
        }
        for (const [k, drawn] of draws.entries()) {
          const batch = batches[k]!
          const from = before + (step - first) * each
          const positions =
            k === 0 && leading
              ? leading.subarray(from, from + steps * batch)
              : Int32Array.from({ length: populations[k]! > 0 ? steps * batch : 0 }, (_, i) =>
                  orders[k]!(step * batch + i),
                )
          Object.assign(own, await drawn.stepFeeds({ first: step, steps, batch, positions }, weightsOf))
        }
        return own
      },
      async after(outputs, { first: step, steps }) {
        for (const { name } of carried) feeds[name] = outputs[`next/${name}`]!
        const found = outputs.losses!.data as Float32Array // [steps, terms]
        let recent = 0
        for (let i = 0; i < steps; i++) {
          const loss = terms.reduce((sum, { weight }, k) => sum + weight * found[i * terms.length + k]!, 0)
          sums[windowOf(step + i)]! += loss * sizeOf(step + i)
          recent += loss / steps
        }
        done = before + (step + steps - first) * each
        if (!Number.isFinite(recent)) {
          throw new DivergenceError(
            `the loss became ${recent} in ${phase} after ${done} of ${total} ${unit}; lower the learning rate (now ${learningRate})`,
          )
        }
        const loss = leading ? sums[0]! / done : recent
        const share = options.share?.(done / total)
        onProgress({ phase, done, total, unit, loss, ...(share !== undefined && { share }) })
        if (done === total) return
        await memory.keepMiddle(() => {
          moved()
          return { within: { done, sums }, progress: done / total, streams }
        })
      },
    })
  }
  moved()
  checkFinite(memory.state, phase)
  const sizes = sums.map(() => 0)
  for (const { first, end } of parts) for (let step = first; step < end; step++) sizes[windowOf(step)]! += sizeOf(step)
  return sums.map((sum, i) => sum / sizes[i]!)
}

/** A step can overflow the weights while its loss is still finite. */
function checkFinite(state: ReadonlyMap<string, Tensor>, phase: string): void {
  for (const [name, { data }] of state) {
    if (!(data as Float32Array).every(Number.isFinite)) {
      throw new DivergenceError(`${name} holds a value that is not finite after ${phase}; lower the learning rate`)
    }
  }
}
