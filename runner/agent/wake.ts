/** Waiting for work: on a socket, over which the server wakes this runner, or where there is none by asking again as often as
 *  the server says. The socket is held only while idle, so the server wakes no runner that works. */
import { setTimeout as sleep } from 'node:timers/promises'
import { message, path } from '../../schema/protocol/wake.ts'
import { jittered } from '../words/backoff.ts'
import { asAnswer, type Client } from './client.ts'

const OPEN_WITHIN_MS = 10_000
/** Between tries to open a socket where the last one failed. */
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 300_000

export interface Waiting {
  /** Until it is time to ask for a job; rejects when aborted. */
  wait(retryAfterMs: number, signal: AbortSignal): Promise<void>
  /** Not idle any more. */
  leave(): void
}

interface Line {
  askEveryMs: number
  rung: Promise<'wake' | 'closed'>
  close(): void
}

export function waitForWork(client: Pick<Client, 'socket'>): Waiting {
  let line: Line | null = null
  let failures = 0
  let nextTryAt = 0
  const leave = () => {
    line?.close()
    line = null
  }

  const fail = () => {
    nextTryAt = performance.now() + jittered(FIRST_PAUSE_MS, failures++, LONGEST_PAUSE_MS)
  }

  return {
    leave,
    async wait(retryAfterMs, signal) {
      if (!line && performance.now() >= nextTryAt) {
        line = await openLine(client, signal)
        // Work that came after the last answer and before the socket woke nobody.
        if (line) return
        fail()
      }
      const first = line && (await firstOf(line, signal))
      // A socket rings once.
      if (first !== 'time') leave()
      if (first === 'closed') fail()
      else if (first !== null) {
        failures = 0
        return
      }
      await sleep(retryAfterMs * (0.75 + Math.random() / 2), undefined, { signal })
    },
  }
}

/** What comes first: a wake, the end of the socket, or the time to ask all the same. Rejects when aborted. */
async function firstOf({ rung, askEveryMs }: Line, signal: AbortSignal): Promise<'wake' | 'closed' | 'time'> {
  const enough = new AbortController()
  const time = sleep(askEveryMs, 'time' as const, { signal: AbortSignal.any([signal, enough.signal]) })
  try {
    return await Promise.race([rung, time])
  } finally {
    enough.abort()
    time.catch(() => {})
  }
}

/** Null where the server cannot be reached in this way: a proxy that knows no sockets, for instance. */
async function openLine(client: Pick<Client, 'socket'>, signal: AbortSignal): Promise<Line | null> {
  const socket = await client.socket(path).catch(() => null)
  if (!socket) return null
  const welcomed = Promise.withResolvers<Omit<Line, 'rung' | 'close'> | null>()
  const rung = Promise.withResolvers<'wake' | 'closed'>()
  let pings: NodeJS.Timeout | undefined
  let heard = performance.now()

  let closed = false
  /** Once: in Node 22, closing a socket that fails fires its events at once, which would close it again. */
  const close = () => {
    if (closed) return
    closed = true
    clearInterval(pings)
    clearTimeout(patience)
    signal.removeEventListener('abort', close)
    welcomed.resolve(null)
    rung.resolve('closed')
    socket.close()
  }
  const patience = setTimeout(close, OPEN_WITHIN_MS)
  signal.addEventListener('abort', close, { once: true })
  socket.addEventListener('error', close)
  socket.addEventListener('close', close)
  socket.addEventListener('message', ({ data }) => {
    heard = performance.now()
    if (data === 'pong') return
    const said = asAnswer(message).safeParse(JSON.parse(String(data))).data
    if (said?.kind === 'wake') rung.resolve('wake')
    if (said?.kind !== 'welcome') return
    clearTimeout(patience)
    const { askEveryMs, pingEveryMs } = said
    // A connection that died in between says nothing, not even that it ended.
    pings = setInterval(() => {
      if (performance.now() - heard > 2.5 * pingEveryMs) close()
      else socket.send('ping')
    }, pingEveryMs)
    welcomed.resolve({ askEveryMs })
  })
  const welcome = await welcomed.promise
  return welcome && { ...welcome, rung: rung.promise, close }
}
