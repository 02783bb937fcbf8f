/** Takes a list of images through a program: compiles one session per batch size, cuts the work into chunks of about a second
 *  so that progress and cancellation come between them, and handles the last, smaller batch exactly. */
import type { Graph } from '../onnx/graph.ts'
import { openSession, type Provider, type Session } from '../onnx/session.ts'
import { int64s, sizeOf, type Tensor, tensor } from '../onnx/tensor.ts'

const CHUNK_MS = 1000

export interface ExecutorOptions {
  threads: number
  provider?: Provider | undefined
  profilePrefix?: string | undefined
  signal: AbortSignal
}

export interface Work {
  /** Names the program; equal names must stand for equal graphs. */
  name: string
  program(batch: number): Graph
  items: Int32Array
  batch: number
  /** So many items are done already: a multiple of `batch`, or all of them. */
  from?: number
  /** Feeds that stay the same over the whole work. */
  feeds: Record<string, Tensor>
  /** Feeds of some steps: `items` are those of [firstStep, firstStep + steps), in order. */
  stepFeeds?(range: {
    items: Int32Array
    first: number
    firstStep: number
    steps: number
    batch: number
  }): Record<string, Tensor>
  /** Called after each chunk with its outputs; feeds that carry state are replaced here. */
  after(outputs: Record<string, Tensor>, range: { first: number; count: number }): void | Promise<void>
}

/** Steps of one program, from `first` up to, but not with, `end`. */
export interface Steps {
  name: string
  program(): Graph
  first: number
  end: number
  /** Feeds that stay the same over all steps; those that carry state are replaced in `after`. */
  feeds: Record<string, Tensor>
  /** Most steps in one call, where feeds follow from what the steps before did. */
  atMost?: number
  stepFeeds(range: { first: number; steps: number }): Record<string, Tensor> | Promise<Record<string, Tensor>>
  after(outputs: Record<string, Tensor>, range: { first: number; steps: number }): void | Promise<void>
}

export interface Executor {
  /** Seconds spent compiling sessions so far. */
  compileSeconds(): number
  execute(work: Work): Promise<void>
  /** The same by the step, for programs that plan their batches themselves. */
  iterate(steps: Steps): Promise<void>
  release(): Promise<void>
}

/** Throws the signal's reason when it is aborted between chunks. */
export function createExecutor({ threads, provider, profilePrefix, signal }: ExecutorOptions): Executor {
  const sessions = new Map<string, Promise<Session>>()
  const stepMs = new Map<string, number>()
  let compileMs = 0

  async function sessionFor(key: string, program: () => Graph): Promise<Session> {
    if (!sessions.has(key)) {
      const start = performance.now()
      sessions.set(key, openSession(program(), { threads, provider, profilePrefix }))
      await sessions.get(key)
      compileMs += performance.now() - start
    }
    return sessions.get(key)!
  }

  async function iterate({ name, program, first, end, feeds, atMost = end, stepFeeds, after }: Steps): Promise<void> {
    const session = await sessionFor(name, program)
    for (let step = first; step < end; ) {
      signal.throwIfAborted()
      const chunk = Math.min(end - step, atMost, Math.max(1, Math.floor(CHUNK_MS / (stepMs.get(name) ?? CHUNK_MS))))
      const range = { first: step, steps: chunk }
      const own = await stepFeeds(range)
      const start = performance.now()
      const count = tensor('int64', [], BigInt64Array.of(BigInt(chunk)))
      const outputs = await session.run({ ...feeds, steps: count, ...own })
      stepMs.set(name, (performance.now() - start) / chunk)
      await after(outputs, range)
      step += chunk
      // Lets signals, timers and the terminal have their turn: a run blocks this thread.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  const executeSteps = (work: Work, firstItem: number, steps: number, batch: number, firstStep = 0) => {
    const planned = (step: number, count: number) => {
      const first = firstItem + step * batch
      return { first, items: work.items.subarray(first, first + count * batch) }
    }
    return iterate({
      name: `${work.name} ${batch}`,
      program: () => work.program(batch),
      first: firstStep,
      end: steps,
      feeds: work.feeds,
      stepFeeds({ first: step, steps }) {
        const { first, items } = planned(step, steps)
        const firstStep = Math.floor(first / work.batch)
        return {
          plan: int64s([steps, batch], items),
          ...work.stepFeeds?.({ items, first, firstStep, steps, batch }),
        }
      },
      after(outputs, { first: step, steps }) {
        const { first, items } = planned(step, steps)
        return work.after(outputs, { first, count: items.length })
      },
    })
  }

  return {
    compileSeconds: () => compileMs / 1000,
    iterate,
    async execute(work) {
      const { items, batch, from = 0 } = work
      const whole = Math.floor(items.length / batch)
      const rest = items.length - whole * batch
      const done = Math.floor(from / batch)
      if (done < whole) await executeSteps(work, 0, whole, batch, done)
      if (rest > 0 && from < items.length) await executeSteps(work, whole * batch, 1, rest)
    },
    async release() {
      for (const session of sessions.values()) await (await session).release()
      sessions.clear()
    },
  }
}

/** Images as the resident tensor of a program. [n, c, h, w] */
export const residentImages = (images: Uint8Array, inputShape: readonly number[]): Tensor =>
  tensor('uint8', [images.length / sizeOf(inputShape), ...inputShape], images)
