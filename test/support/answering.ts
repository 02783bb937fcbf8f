/** A server that answers as a test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'

export type Body = Record<string, unknown>

interface Answer {
  status?: number
  body: unknown
  headers?: Record<string, string>
}
type Handler = (request: { path: string; body: Body; token: string }) => Answer | null | Promise<Answer | null>

/** Its address, until the end of the test. A handler that says null hangs up. */
export async function answering(handler: Handler): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const token = (request.headers.authorization ?? '').replace('Bearer ', '')
    const told = await handler({ path: request.url ?? '', body: text ? JSON.parse(text) : {}, token })
    if (!told) return request.socket.destroy()
    response.writeHead(told.status ?? 200, { 'content-type': 'application/json', ...told.headers })
    response.end(JSON.stringify(told.body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

/** An error as the API answers it. */
export const refusal = (
  status: number,
  code: string,
  { details, headers }: { details?: Body; headers?: Record<string, string> } = {},
) => ({
  status,
  body: { error: { code, message: code, requestId: 'r', ...(details && { details }) } },
  ...(headers && { headers }),
})
