/** The life of a runner.
 *
 *  Verbs of the protocol (schema/protocol/, one a file):
 *    lease    ask for a job; without one, wait as long as the server says
 *    renew    keep the lease, report progress; the answer carries the next fencing token and may say `cancel`
 *    reclaim  go on after the lease ran out, as a new delivery, if nobody else was given the job
 *    log      append to the delivery's log by sequence and offset; carries progress too
 *    upload   store an artifact under its hash
 *    checkpoint  leave where a long stage stands, for the job's next delivery
 *    finish   end the job with its result, after its artifacts
 *    fail     end it without: `failed` counts against its attempts, `released` puts it back in the queue
 *    late     hand in the result of a delivery that was lost to another runner: kept, never scored
 *
 *  Life of a job: lease -> fetch inputs -> run the stage in a process of its own, renewing meanwhile -> upload -> finish.
 *  A stage that the runner's store has is uploaded without being computed.
 *
 *  An idle runner holds a socket on which the server wakes it; see wake.ts. A server that cannot be reached is tried for ever.
 *
 *  Stopping: two AbortSignals given to `runLoop`. `drain` ends the wait for a job at once and leases nothing new. `signal` also
 *  stops a stage between two chunks of its work; the job is then released. A lease that was lost, and a job that nobody wants any
 *  more, stop the stage in the same way, and the loop goes on with the next job. Lost, failed, released and cancelled are different
 *  words.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { engines } from '../../schema/engine.ts'
import type { Probe } from '../../schema/probe.ts'
import type { RunnerState } from '../../schema/protocol/lease.ts'
import { PROTOCOL } from '../../schema/protocol/version.ts'
import { jittered } from '../words/backoff.ts'
import { RemoteError, UnreachableError } from './client.ts'
import { newNonce } from './heartbeat.ts'
import { runJob } from './job.ts'
import type { JobContext } from './job-context.ts'
import { openOrder } from './order.ts'
import { waitForWork } from './wake.ts'

const LONGEST_PAUSE_MS = 30_000

export interface LoopOptions extends JobContext {
  /** What this machine can do. */
  probe: Probe
  /** Aborted when no more jobs are wanted. */
  drain: AbortSignal
}

/** Runs jobs until a signal is aborted, or an admin let it drain. Throws only when the server refuses this runner, and when this
 *  machine cannot go on (LocalFault): the job has been given back then, and nothing more is leased. */
export async function runLoop({ probe, drain, ...context }: LoopOptions): Promise<void> {
  const { client, signal, emit } = context
  const ended = AbortSignal.any([drain, signal])
  const waiting = waitForWork(client)
  let failures = 0
  let standing: RunnerState = 'active'
  /** The same until it is answered: a job whose answer was lost is given again. */
  let nonce = newNonce()
  while (!ended.aborted) {
    try {
      // Not ended by `drain`: the job that an unheard answer brings would be lost.
      const answer = await client.lease(
        { probe, nonce, protocol: PROTOCOL, engines: engines() },
        { signal, retryForMs: 0 },
      )
      nonce = newNonce()
      failures = 0
      if (answer.kind === 'job') {
        waiting.leave()
        await runJob(await openOrder(answer, context), context)
        continue
      }
      if (answer.standing !== standing)
        emit({ kind: 'standing', standing: answer.standing, reason: answer.pauseReason })
      standing = answer.standing
      if (standing === 'draining') break
      emit({ kind: 'idle', retryAfterMs: answer.retryAfterMs })
      await waiting.wait(answer.retryAfterMs, ended)
    } catch (error) {
      if (ended.aborted) break
      if (!isPassing(error)) throw error
      const pauseMs = jittered(500, failures++, LONGEST_PAUSE_MS)
      emit({ kind: 'trouble', message: `${(error as Error).message}; next try in ${Math.ceil(pauseMs / 1000)} s` })
      await sleep(pauseMs, undefined, { signal: ended }).catch(() => {})
    }
  }
  waiting.leave()
}

/** Whether the server may think otherwise later. */
const isPassing = (error: unknown): boolean =>
  error instanceof UnreachableError || (error instanceof RemoteError && ![400, 401, 403, 404].includes(error.status))
