/** Support vector classification by LIBSVM, the library inside scikit-learn's SVC, compiled to WebAssembly. It runs on a
 *  thread of its own: 20,000 samples take seconds, in which leases must still be renewed. */
import { Worker } from 'node:worker_threads'
import type { FitSvc } from './metric.ts'
import type { SvcRequest } from './svc-thread.ts'

export const fitSvc: FitSvc = async (options) => {
  // The module writes a fallback notice to stderr in Node; `stderr: true` keeps it from the user's terminal.
  const thread = new Worker(new URL('./svc-thread.ts', import.meta.url), {
    workerData: options satisfies SvcRequest,
    stdout: true,
    stderr: true,
  })
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      thread.once('message', resolve)
      thread.once('error', reject)
      thread.once('exit', (code) => reject(new Error(`the SVC thread ended early with code ${code}`)))
    })
  } finally {
    await thread.terminate()
  }
}
