/** Metrics of stored evidence on several threads, without what made the evidence. */
import { Worker } from 'node:worker_threads'
import type { StageResult } from '../../schema/result.ts'

export interface ScoreOrder {
  task: string
  /** Those of the evaluate stage, in the store. */
  artifacts: Record<string, { sha256: string }>
  /** Each up to the first `;`. */
  identities: readonly string[]
  /** SHA-256 of the evidence of retrain, in the store: metrics of two models need it. */
  retrain?: string | undefined
}

export type ScoreOutcome =
  | { values: StageResult['metrics']; unscored: { named: string; why: string }[] }
  /** The evidence is missing, damaged or none. */
  | { trouble: string }

export interface Scoring {
  /** Waits for a thread that is free. Throws the signal's reason when aborted. */
  score(order: ScoreOrder): Promise<ScoreOutcome>
  close(): Promise<void>
}

interface Waiting {
  order: ScoreOrder
  done(outcome: ScoreOutcome): void
  fail(error: Error): void
}

export function openScoring({
  home,
  threads,
  signal,
}: {
  home: string
  threads: number
  signal: AbortSignal
}): Scoring {
  const queue: Waiting[] = []
  const working = new Map<Worker, Waiting>()
  const idle: Worker[] = []
  let started = 0

  function give(thread: Worker): void {
    const next = queue.shift()
    if (!next) return void idle.push(thread)
    working.set(thread, next)
    thread.postMessage(next.order)
  }

  function start(): Worker {
    started += 1
    const thread = new Worker(new URL('./scoring-thread.ts', import.meta.url), { workerData: { home } })
    thread.on('message', (outcome: ScoreOutcome) => {
      working.get(thread)?.done(outcome)
      working.delete(thread)
      give(thread)
    })
    thread.on('error', (error: Error) => {
      started -= 1
      working.get(thread)?.fail(error)
      working.delete(thread)
      if (queue.length > 0) give(start())
    })
    return thread
  }

  async function close(): Promise<void> {
    const all = [...idle, ...working.keys()]
    idle.length = 0
    await Promise.all(all.map((thread) => thread.terminate()))
  }
  const stop = () => {
    for (const { fail } of [...queue.splice(0), ...working.values()]) fail(signal.reason as Error)
    void close()
  }
  signal.addEventListener('abort', stop, { once: true })

  return {
    score: (order) =>
      new Promise((done, fail) => {
        signal.throwIfAborted()
        queue.push({ order, done, fail })
        const thread = idle.pop() ?? (started < threads ? start() : undefined)
        if (thread) give(thread)
      }),
    async close() {
      signal.removeEventListener('abort', stop)
      await close()
    },
  }
}
