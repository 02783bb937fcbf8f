/** Holds a lease: renews it in the server's rhythm with the newest progress. The fencing token changes with every renewal, so
 *  all writes about the job go through one queue, each with the newest token. The stage computes in another process, so
 *  nothing here waits for it. */
import { randomBytes } from 'node:crypto'
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
  /** Sends after all earlier writes are through. After a refusal the lease is renewed or reclaimed and the write sent again. */
  write<T>(send: (token: string) => Promise<T>): Promise<T>
  /** For writes that may take longer than a lease and are harmless twice. */
  token(): string
  /** The delivery that this is; a reclaimed job is a new one. */
  attempt(): number
  /** At once, out of turn; throws LeaseLost when the lease cannot be had any more. */
  renew(): Promise<void>
  /** Ends the renewals. */
  stop(): void
}

export interface HeartbeatOptions {
  client: Client
  job: Job
  progress(): Progress | null
  onTrouble(message: string): void
}

export const newNonce = (): string => randomBytes(16).toString('hex')

/** The server does not take this token. */
export const isRefusal = (error: unknown): error is RemoteError =>
  error instanceof RemoteError && ['stale_lease', 'lease_expired'].includes(error.code)

/** A write is refused this often, each time with a lease regained in between, before the lease counts as lost. */
const MAX_REGAINS = 5

export function holdLease({ client, job, progress, onTrouble }: HeartbeatOptions): HeldLease {
  const { key } = job
  const controller = new AbortController()
  let lease = job.lease
  // One a token: a renewal whose answer was lost is sent again as the same request.
  let nonce = newNonce()
  let last: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const take = (next: Job['lease']) => {
    lease = next
    nonce = newNonce()
  }

  const renewOnce = async () => {
    const answer = await client.renew(key, lease.token, { nonce, progress: progress() }, { retryForMs: lease.leaseMs })
    take(answer.lease)
    if (answer.cancel) controller.abort(new JobCancelled('nobody wants this result any more'))
  }

  const regain = async () => {
    try {
      await renewOnce()
    } catch (error) {
      if (!isRefusal(error)) throw error
      take((await client.reclaim(key, { attempt: lease.attempt, nonce })).lease)
      onTrouble('the lease ran out; the job was reclaimed')
    }
  }

  const lose = (error: RemoteError) => {
    const lost = new LeaseLost(error.message)
    controller.abort(lost)
    return lost
  }

  const write = <T>(send: (token: string) => Promise<T>): Promise<T> => {
    const sent = last.then(async () => {
      for (let regains = 0; ; regains++) {
        if (controller.signal.reason instanceof LeaseLost) throw controller.signal.reason
        try {
          return await send(lease.token)
        } catch (error) {
          if (!isRefusal(error)) throw error
          if (regains === MAX_REGAINS) throw lose(error)
        }
        await regain().catch((error: unknown) => {
          throw error instanceof RemoteError ? lose(error) : error
        })
      }
    })
    last = sent.catch(() => {})
    return sent
  }

  const schedule = () => {
    timer = setTimeout(async () => {
      // An unreachable server may still be keeping the job for this runner: only a refusal ends the lease.
      await write(async () => {
        if (!stopped) await renewOnce()
      }).catch((error: Error) => onTrouble(error.message))
      if (!stopped && !controller.signal.aborted) schedule()
    }, lease.renewEveryMs)
  }
  schedule()

  return {
    signal: controller.signal,
    write,
    token: () => lease.token,
    attempt: () => lease.attempt,
    renew: () => write(renewOnce),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
