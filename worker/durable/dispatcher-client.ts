/** The Dispatcher as routes see it: one object for all, and never a reason for a request to fail. */

import type { Bindings } from '../bindings/env.ts'
import { upgradeAt } from '../http/socket.ts'
import type { Dispatcher } from './dispatcher.ts'

const dispatcherOf = ({ DISPATCHER }: Bindings) => (DISPATCHER as DurableObjectNamespace<Dispatcher>).getByName('all')

/** Without the alarm, the next request for a job ends expired leases. */
export async function leaseEnds(env: Bindings, at: number): Promise<void> {
  try {
    await dispatcherOf(env).leaseEnds(at)
  } catch (error) {
    console.error('no alarm was set for a lease', error)
  }
}

/** Tells idle runners that there may be work. Without it, they ask by themselves before long. */
export async function wake(env: Bindings): Promise<void> {
  try {
    await dispatcherOf(env).wake()
  } catch (error) {
    console.error('no runner was woken', error)
  }
}

/** Tells an idle runner that an admin changed something about it. Without it, the runner learns when it next asks. */
export async function tellRunner(env: Bindings, runnerId: string): Promise<void> {
  try {
    await dispatcherOf(env).changed(runnerId)
  } catch (error) {
    console.error('a runner was not told of a change', error)
  }
}

/** The socket of an idle runner. */
export const waitAt = (env: Bindings, runnerId: string): Promise<Response> =>
  upgradeAt(dispatcherOf(env), [['runner', runnerId]])
