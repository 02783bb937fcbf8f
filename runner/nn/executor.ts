/** Takes a list of images through a program: compiles one session per batch size, cuts the work into chunks of about a second
 *  so that progress and cancellation come between them, and handles the last, smaller batch exactly. */
import type { Graph } from '../onnx/graph.ts'
import { openSession, type Session } from '../onnx/session.ts'
import { int64s, sizeOf, type Tensor, tensor } from '../onnx/tensor.ts'

const CHUNK_MS = 1000

export interface ExecutorOptions {
  threads: number
  signal: AbortSignal
}

export interface Work {
  /** Names the program; equal names must stand for equal graphs. */
  name: string
  program(batch: number): Graph
  items: Int32Array
  batch: number
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
  after(outputs: Record<string, Tensor>, range: { first: number; count: number }): void
}

export interface Executor {
  /** Seconds spent compiling sessions so far. */
  compileSeconds(): number
  execute(work: Work): Promise<void>
  release(): Promise<void>
}

/** Throws the signal's reason when it is aborted between chunks. */
export function createExecutor({ threads, signal }: ExecutorOptions): Executor {
  const sessions = new Map<string, Promise<Session>>()
  const stepMs = new Map<string, number>()
  let compileMs = 0

  async function sessionFor({ name, program }: Work, batch: number): Promise<Session> {
    const key = `${name} ${batch}`
    if (!sessions.has(key)) {
      const start = performance.now()
      sessions.set(key, openSession(program(batch), { threads }))
      await sessions.get(key)
      compileMs += performance.now() - start
    }
    return sessions.get(key)!
  }

  async function executeSteps(work: Work, firstItem: number, steps: number, batch: number): Promise<void> {
    const session = await sessionFor(work, batch)
    const key = `${work.name} ${batch}`
    for (let done = 0; done < steps; ) {
      signal.throwIfAborted()
      const chunk = Math.min(steps - done, Math.max(1, Math.floor(CHUNK_MS / (stepMs.get(key) ?? CHUNK_MS))))
      const first = firstItem + done * batch
      const items = work.items.subarray(first, first + chunk * batch)
      const start = performance.now()
      const outputs = await session.run({
        ...work.feeds,
        steps: tensor('int64', [], BigInt64Array.of(BigInt(chunk))),
        plan: int64s([chunk, batch], items),
        ...work.stepFeeds?.({ items, first, firstStep: Math.floor(first / work.batch), steps: chunk, batch }),
      })
      stepMs.set(key, (performance.now() - start) / chunk)
      work.after(outputs, { first, count: items.length })
      done += chunk
      // Lets signals, timers and the terminal have their turn: a run blocks this thread.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  return {
    compileSeconds: () => compileMs / 1000,
    async execute(work) {
      const whole = Math.floor(work.items.length / work.batch)
      const rest = work.items.length - whole * work.batch
      if (whole > 0) await executeSteps(work, 0, whole, work.batch)
      if (rest > 0) await executeSteps(work, whole * work.batch, 1, rest)
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
