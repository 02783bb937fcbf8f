/** The thread of svc.ts. On import libsvm-js makes unhandled rejections end the process without a word; here that is this
 *  thread only. */
import { parentPort, workerData } from 'node:worker_threads'
import libsvm from 'libsvm-js'
import type { FitSvc } from '../science/metric.ts'

export type SvcRequest = Parameters<FitSvc>[0]
export type SvcMessage = { answered: number } | { decisions: Uint8Array }

/** Queries answered between two messages. */
const CHUNK = 250

const { samples, labels, cost, gamma, queries } = workerData as SvcRequest
const say = (message: SvcMessage) => parentPort!.postMessage(message)
const rows = (values: Iterable<number>) => Array.from(values, (value) => [value])
const ofClass = (wanted: number) => samples.filter((_, index) => labels[index] === wanted)

// scikit-learn sorts classes, LIBSVM takes them as they come; handing over class 0 first poses the very same problem.
const others = ofClass(0)
const members = ofClass(1)
const Svm = await libsvm
const svm = new Svm({ type: '0', kernel: '2', cost, gamma, cacheSize: 200, quiet: true })
svm.train(rows([...others, ...members]), [...others.map(() => 0), ...members.map(() => 1)])
const decisions = new Uint8Array(queries.length)
for (let first = 0; first < queries.length; first += CHUNK) {
  say({ answered: first })
  decisions.set(svm.predict(rows(queries.subarray(first, first + CHUNK))), first)
}
say({ decisions })
