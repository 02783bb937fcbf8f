/** Support vector classification by LIBSVM, the library inside scikit-learn's SVC, compiled to WebAssembly. It runs on a
 *  thread of its own: 20,000 samples take seconds, in which leases must still be renewed. */
import { Worker } from 'node:worker_threads'
import type { Progress } from '../../schema/result.ts'
import type { FitSvc } from '../science/metric.ts'
import type { SvcMessage, SvcRequest } from './svc-thread.ts'

/** LIBSVM fits in one call, so that progress says that it does, then how many queries are answered. */
export const svcWith =
  (onProgress: (progress: Progress) => void): FitSvc =>
  async (options) => {
    const { samples, queries } = options
    onProgress({ phase: 'fitting the SVC', done: 0, total: samples.length, unit: 'samples' })
    // The module writes a fallback notice to stderr in Node; `stderr: true` keeps it from the user's terminal.
    const thread = new Worker(new URL('./svc-thread.ts', import.meta.url), {
      workerData: options satisfies SvcRequest,
      stdout: true,
      stderr: true,
    })
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        thread.on('message', (message: SvcMessage) => {
          if ('decisions' in message) resolve(message.decisions)
          else onProgress({ phase: 'asking the SVC', done: message.answered, total: queries.length, unit: 'examples' })
        })
        thread.once('error', reject)
        thread.once('exit', (code) => reject(new Error(`the SVC thread ended early with code ${code}`)))
      })
    } finally {
      await thread.terminate()
    }
  }
