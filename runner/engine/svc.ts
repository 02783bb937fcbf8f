/** Support vector classification on a thread of its own: 20,000 samples take seconds, in which leases must still be renewed. */
import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Progress } from '../../schema/result.ts'
import type { FitSvc } from '../science/metric.ts'
import type { SvcMessage, SvcRequest } from './svc-thread.ts'

/** Threads without work, as many as ever worked at once; they keep no process alive. A new one, whose code is not compiled yet,
 *  takes 0.23 s for 4,000 samples, a used one 0.09 s. */
const idle: Worker[] = []

/** Progress says that it fits, then how many queries are answered. */
export const svcWith =
  (onProgress: (progress: Progress) => void): FitSvc =>
  async (options) => {
    const { labels, queries, features = 1 } = options
    onProgress({ phase: 'fitting the SVC', done: 0, total: labels.length, unit: 'samples' })
    const thread = idle.pop() ?? new Worker(new URL('./svc-thread.ts', import.meta.url))
    thread.ref()
    const messages = on(thread, 'message', { close: ['exit'] }) as AsyncIterable<[SvcMessage]>
    thread.postMessage(options satisfies SvcRequest)
    // An error of the thread rejects here.
    for await (const [message] of messages) {
      if ('decisions' in message) {
        thread.unref()
        idle.push(thread)
        return message.decisions
      }
      onProgress({
        phase: 'asking the SVC',
        done: message.answered,
        total: queries.length / features,
        unit: 'examples',
      })
    }
    throw new Error('the SVC thread ended early')
  }
