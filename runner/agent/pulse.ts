/** A sign of life: a small file in the home of a runner, written again and again while its event loop turns, that tells other
 *  processes of this machine (a container's health check, say) how it is. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { codeOf, reasonOf, writeWhole } from '../store/write.ts'
import { UsageError } from '../words/usage.ts'

const BEAT_EVERY_MS = 15_000
/** Between two requests of an idle runner pass up to five minutes. */
const ANSWER_WITHIN_MS = 15 * 60_000

const pulse = z.object({
  server: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  /** When the server last answered; null before it ever did. */
  answeredAt: z.number().nullable(),
  /** When it ended by itself. */
  endedAt: z.number().optional(),
})

const pathIn = (home: string) => join(home, 'runner-pulse.json')

export interface Pulse {
  /** The server said something. */
  answered(): void
  /** The last sign: that it has ended. */
  stop(): Promise<void>
}

/** Beats until stopped. A full disk is not worth a runner: what cannot be written is left out. */
export function startPulse(home: string, server: string): Pulse {
  let answeredAt: number | null = null
  let last: Promise<void> = Promise.resolve()
  /** In the order in which they were begun. */
  const beat = (end?: { endedAt: number }) => {
    const text = JSON.stringify({ server, at: Date.now(), answeredAt, ...end })
    last = last.then(() => writeWhole(pathIn(home), text)).catch(() => {})
    return last
  }
  const timer = setInterval(() => beat(), BEAT_EVERY_MS)
  beat()
  return {
    answered() {
      const first = answeredAt === null
      answeredAt = Date.now()
      if (first) beat()
    },
    stop() {
      clearInterval(timer)
      return beat({ endedAt: Date.now() })
    },
  }
}

export interface Health {
  healthy: boolean
  words: string
}

/** How the runner of a home is, in words: silent runners and those without a server are not well. */
export async function healthOf(home: string, now: number): Promise<Health> {
  const text = await readFile(pathIn(home), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null
    throw new UsageError(
      `${pathIn(home)}: expected the sign of life of a runner, got none that can be read: ${reasonOf(error)}`,
    )
  })
  if (text === null) return { healthy: false, words: `no runner has asked for jobs from ${home} yet` }
  const { at, answeredAt, server, endedAt } = pulse.parse(JSON.parse(text))
  const seconds = (since: number) => `${Math.max(0, Math.round((now - since) / 1000))} s`
  if (endedAt !== undefined) return { healthy: false, words: `the runner ended ${seconds(endedAt)} ago` }
  if (now - at > 4 * BEAT_EVERY_MS)
    return { healthy: false, words: `the runner is gone or stuck: no beat for ${seconds(at)}` }
  if (answeredAt === null) return { healthy: false, words: `the runner lives, but ${server} has not answered yet` }
  const answer = `${server} answered ${seconds(answeredAt)} ago`
  if (now - answeredAt > ANSWER_WITHIN_MS) return { healthy: false, words: `the runner lives, but ${answer}` }
  return { healthy: true, words: `the runner lives; ${answer}` }
}
