/** Sockets of idle runners, in the Dispatcher: who waits, and whom work wakes. */
import type { WakeMessage } from '../../schema/protocol/wake.ts'
import { upgraded } from './upgraded.ts'

/** Told to runners. */
const PING_EVERY_MS = 30_000
/** A runner that pings no more is not there, whatever its socket says. */
const SILENCE_MS = 3 * PING_EVERY_MS

/** Kept with each socket while the object sleeps. */
interface Idle {
  since: number
  /** A woken runner asks for a job, and comes back with a new socket when there was none for it. */
  woken: boolean
}

const say = (socket: WebSocket, message: WakeMessage) => socket.send(JSON.stringify(message))

export function admitIdle(state: DurableObjectState, runnerId: string, askEveryMs: number, now: number): Response {
  return upgraded((socket) => {
    state.acceptWebSocket(socket, [runnerId])
    socket.serializeAttachment({ since: now, woken: false } satisfies Idle)
    say(socket, { kind: 'welcome', askEveryMs, pingEveryMs: PING_EVERY_MS })
  })
}

/** Those who were idle at a time and have not been woken since. */
export function idleSince(state: DurableObjectState, at: number, now: number): WebSocket[] {
  return state.getWebSockets().filter((socket) => {
    const { since, woken } = socket.deserializeAttachment() as Idle
    const heardAt = state.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? since
    return socket.readyState === WebSocket.OPEN && !woken && since <= at && now - heardAt < SILENCE_MS
  })
}

/** Wakes one runner, whether there is work or not: it asks, and learns what an admin decided about it. */
export const wakeRunner = (state: DurableObjectState, runnerId: string): void =>
  wakeSome(state.getWebSockets(runnerId), Number.POSITIVE_INFINITY)

/** Wakes as many as there are jobs, chosen by chance, so that one who cannot do them does not always come first. */
export function wakeSome(sockets: WebSocket[], jobs: number): void {
  const left = [...sockets]
  for (let woken = 0; woken < jobs && left.length > 0; woken++) {
    const [socket] = left.splice(Math.floor(Math.random() * left.length), 1)
    const idle = socket!.deserializeAttachment() as Idle
    socket!.serializeAttachment({ ...idle, woken: true } satisfies Idle)
    try {
      say(socket!, { kind: 'wake' })
    } catch {
      // Gone, but not yet told so: the next one instead.
      woken--
    }
  }
}
