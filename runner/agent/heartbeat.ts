/** Holds a lease: renews it in the server's rhythm with the newest progress. The fencing token changes with every renewal, so
 *  all writes about the job go through one queue, each with the newest token. */
import type { Job } from '../../schema/protocol/lease.ts'
import type { Progress } from '../../schema/result.ts'
import { type Client, RemoteError } from './client.ts'

/** The job belongs to someone else now: nothing may be written about it any more. */
export class LeaseLost extends Error {
  override name = 'LeaseLost'
}

/** Nobody wants the result any more. */
export class JobCancelled extends Error {
  override name = 'JobCancelled'
}

export interface HeldLease {
  /** Aborted with LeaseLost or JobCancelled. */
  signal: AbortSignal
  /** Sends after all earlier writes are through. */
  write<T>(send: (token: string) => Promise<T>): Promise<T>
  /** For writes that may take longer than a lease and are harmless twice. */
  token(): string
  /** Ends the renewals. */
  stop(): void
}

export interface HeartbeatOptions {
  client: Client
  job: Job
  progress(): Progress | null
  onTrouble(message: string): void
}

export function holdLease({ client, job, progress, onTrouble }: HeartbeatOptions): HeldLease {
  const controller = new AbortController()
  let { token, leaseMs, renewEveryMs } = job.lease
  let last: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const write = <T>(send: (token: string) => Promise<T>): Promise<T> => {
    const sent = last.then(async () => {
      if (controller.signal.reason instanceof LeaseLost) throw controller.signal.reason
      try {
        return await send(token)
      } catch (error) {
        if (!(error instanceof RemoteError) || error.code !== 'stale_lease') throw error
        const lost = new LeaseLost(error.message)
        controller.abort(lost)
        throw lost
      }
    })
    last = sent.catch(() => {})
    return sent
  }

  const renew = () =>
    write(async (old) => {
      if (stopped) return
      const { lease, cancel } = await client.renew(
        job.key,
        { token: old, progress: progress() },
        { retryForMs: leaseMs },
      )
      ;({ token, leaseMs, renewEveryMs } = lease)
      if (cancel) controller.abort(new JobCancelled('nobody wants this result any more'))
    })

  const schedule = () => {
    timer = setTimeout(async () => {
      // An unreachable server may still be keeping the job for this runner: only a refusal ends the lease.
      await renew().catch((error: Error) => onTrouble(error.message))
      if (!stopped && !controller.signal.aborted) schedule()
    }, renewEveryMs)
  }
  schedule()

  return {
    signal: controller.signal,
    write,
    token: () => token,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
