/** The answer that turns a request into a socket, whose other end `accept` is given. */
export function upgraded(accept: (socket: WebSocket) => void): Response {
  const { 0: client, 1: server } = new WebSocketPair()
  accept(server)
  return new Response(null, { status: 101, webSocket: client })
}
