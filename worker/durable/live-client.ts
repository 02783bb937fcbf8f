/** What happens to jobs, told to the pages that show them. Telling never makes a request fail: a page that missed something
 *  fetches itself again. */
import type { Bindings } from '../bindings/env.ts'
import { upgradeAt } from '../http/socket.ts'
import type { Live } from './live.ts'
import type { LiveEvent, LiveMessage } from './live-event.ts'

const liveOf = ({ LIVE }: Bindings) => (LIVE as DurableObjectNamespace<Live>).getByName('all')

export async function publish(env: Bindings, key: string, event: Partial<LiveEvent>): Promise<void> {
  const { changed = false, progress = null, log = null } = event
  if (!changed && !progress && !log) return
  try {
    const message: LiveMessage = { key, changed, progress, log }
    await liveOf(env).publish(key, JSON.stringify(message))
  } catch (error) {
    console.error(`nobody was told about job ${key}`, error)
  }
}

/** The socket of someone who watches some jobs. */
export const watch = (env: Bindings, keys: string[]): Promise<Response> =>
  upgradeAt(
    liveOf(env),
    keys.map((key) => ['key', key]),
  )
