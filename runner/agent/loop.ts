/** The life of a runner.
 *
 *  Verbs of the protocol (schema/protocol/, one a file):
 *    lease    ask for a job; without one, wait as long as the server says
 *    renew    keep the lease, report progress; the answer carries the next fencing token and may say `cancel`
 *    reclaim  go on after the lease ran out, as a new delivery, if nobody else was given the job
 *    log      append to the delivery's log by sequence and offset; carries progress too
 *    upload   store an artifact under its hash
 *    finish   end the job with its result, after its artifacts
 *    fail     end it without: `failed` counts against its attempts, `released` puts it back in the queue
 *    late     hand in the result of a delivery that was lost to another runner: kept, never scored
 *
 *  Life of a job: lease -> fetch inputs -> run the stage in a process of its own, renewing meanwhile -> upload -> finish.
 *  A stage that the runner's store has is uploaded without being computed.
 *
 *  Stopping: the one AbortSignal given to `runLoop`. It ends the wait for a job at once, and a stage between two chunks of its
 *  work; the job is then released. A lease that was lost, and a job that nobody wants any more, stop the stage in the same
 *  way, and the loop goes on with the next job. Lost, failed, released and cancelled are different words.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Probe } from '../../schema/probe.ts'
import { RemoteError } from './client.ts'
import { newNonce } from './heartbeat.ts'
import { type JobContext, runJob } from './job.ts'

export interface LoopOptions extends JobContext {
  /** Shown beside the jobs it runs. */
  name: string
  /** What this machine can do. */
  probe: Probe
}

/** Runs jobs until the signal is aborted. Throws only when the server refuses this runner. */
export async function runLoop({ name, probe, ...context }: LoopOptions): Promise<void> {
  const { client, signal, emit } = context
  while (!signal.aborted) {
    try {
      const answer = await client.lease(
        { runner: name, probe, nonce: newNonce() },
        { signal, retryForMs: Number.POSITIVE_INFINITY },
      )
      if (answer.kind === 'job') {
        await runJob(answer.job, context)
        continue
      }
      emit({ kind: 'idle', retryAfterMs: answer.retryAfterMs })
      await sleep(answer.retryAfterMs, undefined, { signal })
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof RemoteError) || [400, 401, 403, 404].includes(error.status)) throw error
      emit({ kind: 'trouble', message: error.message })
      await sleep(5_000, undefined, { signal }).catch(() => {})
    }
  }
}
