/** What happens to jobs, told to the pages that show them. Telling never makes a request fail: a page that missed something
 *  fetches itself again. */
import type { Bindings } from '../bindings/env.ts'
import { upgradeAt } from '../http/socket.ts'
import type { Live } from './live.ts'

export interface LiveEvent {
  /** The page fetches itself again. */
  changed?: boolean
  /** HTML that shows how far a stage is. */
  progress?: string | null
  log?: LiveLines | null
}

/** Complete lines of a log, as pages show them. */
export interface LiveLines {
  /** The log that they belong to. */
  of: string
  /** Bytes before them, and with them. */
  offset: number
  end: number
  /** Line breaks before them. */
  line: number
  lines: string[]
}

const liveOf = ({ LIVE }: Bindings) => (LIVE as DurableObjectNamespace<Live>).getByName('all')

export async function publish(env: Bindings, key: string, event: LiveEvent): Promise<void> {
  const { changed = false, progress = null, log = null } = event
  if (!changed && !progress && !log) return
  try {
    await liveOf(env).publish(key, JSON.stringify({ key, changed, progress, log }))
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
