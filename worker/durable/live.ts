/** Who watches runs: one hibernating socket a viewer, tagged with the keys of the jobs that it wants to hear about. */
import { DurableObject } from 'cloudflare:workers'
import type { Bindings } from '../bindings/env.ts'
import { upgraded } from './upgraded.ts'

export class Live extends DurableObject<Bindings> {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env)
    // Viewers tell a dead connection by its silence.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** A viewer of the jobs whose keys the address names. */
  override async fetch(request: Request): Promise<Response> {
    const keys = new URL(request.url).searchParams.getAll('key')
    return upgraded((socket) => this.ctx.acceptWebSocket(socket, keys))
  }

  /** The other end closes: so does this one. */
  override webSocketClose(socket: WebSocket): void {
    socket.close()
  }

  async publish(key: string, message: string): Promise<void> {
    for (const socket of this.ctx.getWebSockets(key)) {
      try {
        socket.send(message)
      } catch {
        // Gone, but not yet told so.
      }
    }
  }
}
