/** What happens to jobs, told to the pages that show them. Telling never makes a request fail: a page that missed something
 *  fetches itself again. */
import type { Progress } from '../../schema/result.ts'
import type { Bindings } from '../bindings/env.ts'
import { upgradeAt } from '../http/socket.ts'
import { plainLine } from '../views/log.tsx'
import { StageProgress } from '../views/stage-list.tsx'
import type { Live } from './live.ts'

export interface LiveEvent {
  /** Its state is another one: the page fetches itself again. */
  changed?: boolean
  progress?: Progress | null | undefined
  /** A chunk of its log: the delivery that wrote it, the bytes and the line breaks before it. */
  log?: { attempt: number; offset: number; line: number; text: string } | null | undefined
}

const liveOf = ({ LIVE }: Bindings) => (LIVE as DurableObjectNamespace<Live>).getByName('all')

export async function publish(env: Bindings, jobKey: string, { changed = false, progress, log }: LiveEvent) {
  if (!changed && !progress && !log) return
  const message = JSON.stringify({
    key: jobKey,
    // Lines that are cut are left to the server's own page.
    changed: changed || (log != null && !log.text.endsWith('\n')),
    progress: progress ? String(<StageProgress progress={progress} />) : null,
    log: log ? linesOf(jobKey, log) : null,
  })
  try {
    await liveOf(env).publish(jobKey, message)
  } catch (error) {
    console.error(`nobody was told about job ${jobKey}`, error)
  }
}

const linesOf = (key: string, { attempt, offset, line, text }: NonNullable<LiveEvent['log']>) => ({
  of: `${key}/${attempt}`,
  offset,
  end: offset + new TextEncoder().encode(text).byteLength,
  line,
  lines: text.slice(0, -1).split('\n').map(plainLine),
})

/** The socket of someone who watches some jobs. */
export const watch = (env: Bindings, keys: string[]): Promise<Response> =>
  upgradeAt(
    liveOf(env),
    keys.map((key) => ['key', key]),
  )
