/** The thread of svc.ts. */
import { parentPort } from 'node:worker_threads'
import type { FitSvc } from '../science/metric.ts'
import { trainSvc } from '../science/svc/svc.ts'

export type SvcRequest = Parameters<FitSvc>[0]
export type SvcMessage = { answered: number } | { decisions: Uint8Array }

/** Queries answered between two messages. */
const CHUNK = 250

const say = (message: SvcMessage) => parentPort!.postMessage(message)

parentPort!.on('message', ({ queries, ...problem }: SvcRequest) => {
  const svc = trainSvc(problem)
  const { features = 1 } = problem
  const decisions = new Uint8Array(queries.length / features)
  for (let first = 0; first < decisions.length; first += CHUNK) {
    say({ answered: first })
    decisions.set(svc.decide(queries.subarray(first * features, (first + CHUNK) * features)), first)
  }
  say({ decisions })
})
