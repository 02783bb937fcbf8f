/** What a trainer finds out about a term without moving the model: gradients summed or one by one, and values of every example. */
import type { Progress } from '../../../schema/result.ts'
import { ExpressionError, type Recording } from '../../science/expression.ts'
import type { Kept, TaskTypes } from '../../science/method.ts'
import type { Weights } from '../../science/weights.ts'
import type { Executor } from '../nn/executor.ts'
import { randomStream } from '../nn/random.ts'
import { feedName, valueFeeds } from '../nn/variables.ts'
import { floats, type Shape, type Tensor, zeros } from '../onnx/tensor.ts'
import { keptFeeds } from './feeds.ts'
import type { Middle } from './half-done.ts'
import type { Memory } from './memory.ts'
import type { Objective, TermShape, Use } from './objective.ts'
import { stored } from './outcomes.ts'
import { alone, numbersBy } from './step-program.ts'
import { type GradientShape, gradientProgram, valueProgram } from './term-program.ts'

export interface LookContext<T extends TaskTypes> {
  objective: Objective<T>
  executor: Executor
  memory: Memory
  seed: number
  purpose: string
  onProgress(progress: Progress): void
}

interface Batches<T extends TaskTypes> {
  on: T['batch']
  loss: Recording
  phase: string
}

/** How many batches a look at all examples takes. */
export const batchesOf = <T extends TaskTypes>(objective: Objective<T>, on: T['batch']): number =>
  Math.ceil(objective.population(on) / objective.batchSize(on))

/** Goes over all examples of a term in order, the last batch smaller, or over those that are not done. */
async function goOver<T extends TaskTypes>(
  { objective, executor, memory, seed, purpose, onProgress }: LookContext<T>,
  { on, loss, phase }: Batches<T>,
  {
    use,
    program,
    feeds,
    perStep,
    after,
    atMost,
    done = 0,
  }: {
    use: Use
    program(term: TermShape): { name: string; build(): ReturnType<typeof valueProgram> }
    feeds: Record<string, Tensor>
    /** Further feeds of batches, by their numbers. */
    perStep?(first: number, steps: number): Record<string, Tensor>
    /** Called after each chunk, with how many examples of how many are done. */
    after(outputs: Record<string, Tensor>, done: number, population: number): void | Promise<void>
    atMost?: number
    /** Examples that are done: whole batches. */
    done?: number
  },
): Promise<void> {
  const size = objective.batchSize(on)
  const variables = [...objective.parameters, ...objective.buffers]
  let total = done
  const partsOf = (population: number) => {
    const whole = Math.floor(population / size)
    const rest = population - whole * size
    return [
      { from: 0, batch: size, end: whole },
      { from: whole * size, batch: rest, end: rest > 0 ? 1 : 0 },
    ].filter(({ end }) => end > 0)
  }
  const drawnFrom = (from: number) =>
    objective.draw(on, {
      k: 0,
      use,
      streamOf: (step) => randomStream(seed, `${purpose}/${phase}/${from}/${step}`),
      running: memory.stream,
      name: `${purpose}/${phase}`,
    })
  const population = objective.population(on)
  if (population === 0) throw new Error(`${phase}: there are no examples to go over`)
  for (const { from, batch, end } of partsOf(population)) {
    const first = Math.min(end, Math.max(0, (done - from) / batch))
    if (first === end) continue
    const drawn = drawnFrom(from)
    const term: TermShape = { batch, on: objective.shapeOf(on, use), loss }
    const [number] = numbersBy(alone(term))
    if (number) throw new ExpressionError(`${phase}: number("${number}") comes with steps, and none are taken here`)
    const { name, build } = program(term)
    Object.assign(feeds, valueFeeds(variables.map(({ name }) => [name, memory.state.get(name)!])))
    Object.assign(feeds, drawn.feeds, keptFeeds(objective, memory, alone(term)))
    await executor.iterate({
      name,
      program: build,
      first,
      end,
      feeds,
      ...(atMost !== undefined && { atMost }),
      async stepFeeds({ first, steps }) {
        const positions = Int32Array.from({ length: steps * batch }, (_, i) => from + first * batch + i)
        const weightsOf = (kept?: Kept) => (kept ? memory.kept[kept.number]!.values : memory.state)
        const own = await drawn.stepFeeds({ first, steps, batch, positions }, weightsOf)
        return { ...own, ...perStep?.(from / size + first, steps) }
      },
      async after(outputs, { steps }) {
        total += steps * batch
        await after(outputs, total, population)
        onProgress({ phase, done: total, total: population, unit: 'images' })
      },
    })
  }
}

/** Sums over batches; of squares, after `together` batches in a row were summed. */
export async function sumGradients<T extends TaskTypes>(
  context: LookContext<T>,
  batches: Batches<T>,
  {
    together = 1,
    middle,
    ...how
  }: Pick<GradientShape, 'clipNorm'> & { gives: 'sum' | 'squares'; together?: number; middle: Middle | null },
): Promise<Weights> {
  const { objective, memory } = context
  const grouped = together > 1
  const slots = (slot: string) => objective.parameters.map(({ name }) => feedName(name, slot))
  const held = [...slots('sum'), ...(grouped ? slots('part') : [])]
  const shapes = held.map((_, i) => objective.parameters[i % objective.parameters.length]!.shape)
  const start = (slot: string, shape: Shape) => {
    const known = middle?.partial.get(slot)
    return known ? floats(shape, known.data as Float32Array) : zeros(shape)
  }
  const feeds: Record<string, Tensor> = Object.fromEntries(held.map((slot, i) => [slot, start(slot, shapes[i]!)]))
  const closing = (first: number, steps: number) => ({
    closing: floats(
      [steps],
      Float32Array.from({ length: steps }, (_, i) => ((first + i + 1) % together === 0 ? 1 : 0)),
    ),
  })
  await goOver(context, batches, {
    use: 'gradient',
    feeds,
    done: middle?.done ?? 0,
    ...(grouped && { perStep: closing }),
    program(term) {
      const shape: GradientShape = { term, ...how, grouped }
      return { name: `gradients ${JSON.stringify(shape)}`, build: () => gradientProgram(objective, shape) }
    },
    async after(outputs, done, population) {
      for (const slot of held) feeds[slot] = outputs[`next/${slot}`]!
      if (done === population) return
      await memory.keepMiddle(() => {
        const partial = held.map((slot) => [slot, stored('F32', feeds[slot]!.data as Float32Array)] as const)
        return { within: { done, sums: [] }, progress: done / population, partial: new Map(partial) }
      })
    },
  })
  return new Map(objective.parameters.map(({ name }, i) => [name, feeds[held[i]!]!.data as Float32Array]))
}

/** Most numbers of gradients that leave the engine in one call. */
const GRADIENTS_AT_ONCE = 1 << 24

/** Hands out the gradient of each batch, flat, in order. */
export async function eachGradient<T extends TaskTypes>(
  context: LookContext<T>,
  batches: Batches<T>,
  give: (gradient: Float32Array) => void,
): Promise<void> {
  const { objective } = context
  const size = objective.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  await goOver(context, batches, {
    use: 'gradient',
    feeds: {},
    atMost: Math.max(1, Math.floor(GRADIENTS_AT_ONCE / size)),
    program(term) {
      const shape: GradientShape = { term, clipNorm: null, gives: 'each', grouped: false }
      return { name: `gradients ${JSON.stringify(shape)}`, build: () => gradientProgram(objective, shape) }
    },
    after(outputs) {
      const all = outputs.gradients!.data as Float32Array
      for (let first = 0; first < all.length; first += size) give(all.subarray(first, first + size))
    },
  })
}

/** A value of every example, in order, row-major. */
export async function valuesOf<T extends TaskTypes>(
  context: LookContext<T>,
  batches: Batches<T>,
): Promise<Float32Array> {
  const { objective } = context
  const parts: Float32Array[] = []
  await goOver(context, batches, {
    use: 'values',
    feeds: {},
    program: (term) => ({
      name: `values ${JSON.stringify(term)}`,
      build: () => valueProgram(objective, term),
    }),
    after(outputs) {
      parts.push(outputs.values!.data as Float32Array)
    },
  })
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}
