/** The server's address: hands requests, streams and websockets on to the worker behind it, but for what wrangler itself would
 *  answer there. Those paths run SQL, replace objects and start retention, and ask nobody who they are. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { codeOf } from '../store/write.ts'
import { UsageError } from '../words/usage.ts'

export const HOST = '127.0.0.1'
/** A segment of a path that wrangler or miniflare may keep for itself. */
const KEPT = /[\\/](cdn-cgi|__[^\\/]*)([\\/]|$)/i
/** Said of a connection, not of a request; and `mf-`, by which miniflare is told of another path, route or client. */
const DROPPED =
  /^(connection|keep-alive|proxy-connection|transfer-encoding|te|trailer|upgrade|expect|http2-settings|mf-.*)$/i

export interface Door {
  url: string
  /** Where requests go from now on; with null they are told to come again. */
  leadTo(worker: string | null): void
  close(): Promise<void>
}

/** Port 0 takes a free one. */
export async function openDoor(port: number): Promise<Door> {
  let target: URL | null = null
  const upgrades = new Set<Duplex>()
  const outgoing = (incoming: IncomingMessage, { pathname, search }: URL, more: string[] = []) =>
    request({
      host: HOST,
      port: target!.port,
      method: incoming.method!,
      path: pathname + search,
      headers: [...passed(incoming.rawHeaders), ...more],
      // A kept connection could be closed by the worker just as a request that must not come twice leaves.
      agent: false,
    })

  const server = createServer(
    // Other upgrades than to websockets are not taken, as HTTP allows.
    { requestTimeout: 0, keepAliveTimeout: 65_000, shouldUpgradeCallback: wantsWebsocket },
    (incoming, answer) => {
      const url = wayOf(incoming)
      const refusal = refusalOf(url, target)
      if (refusal || !url) return refuse(incoming, answer, refusal!)
      const chunked = 'transfer-encoding' in incoming.headers ? ['transfer-encoding', 'chunked'] : []
      const far = outgoing(incoming, url, chunked)
      far.once('response', (response) => {
        answer.writeHead(response.statusCode!, response.statusMessage, passed(response.rawHeaders))
        pipeline(response, answer, () => {})
      })
      far.on('error', () => {
        if (!answer.headersSent) refuse(incoming, answer, UNREACHABLE)
      })
      // What is still being sent is read to its end, so that who sends it can read the answer.
      far.once('close', () => incoming.unpipe(far).resume())
      answer.once('close', () => far.destroy())
      incoming.pipe(far)
    },
  )
  server.on('upgrade', (incoming: IncomingMessage, near: Duplex, head: Buffer) => {
    near.on('error', () => near.destroy())
    const url = wayOf(incoming)
    const refusal = wantsWebsocket(incoming) ? refusalOf(url, target) : NOT_A_WEBSOCKET
    if (refusal || !url) return near.end(rawAnswer(refusal!))
    const far = outgoing(incoming, url, ['connection', 'upgrade', 'upgrade', 'websocket'])
    near.once('close', () => far.destroy())
    far.once('upgrade', ({ statusCode, statusMessage, rawHeaders }, socket, first) => {
      upgrades.add(near)
      const agreed = ['connection', 'upgrade', 'upgrade', 'websocket']
      near.write(rawHead(`${statusCode} ${statusMessage}`, [...passed(rawHeaders), ...agreed]))
      near.write(first)
      socket.write(head)
      near.once('close', () => upgrades.delete(near) && socket.destroy())
      socket.on('error', () => {}).once('close', () => near.destroy())
      near.pipe(socket).pipe(near)
    })
    far.once('response', (response) => {
      const { statusCode, statusMessage, rawHeaders } = response
      near.write(rawHead(`${statusCode} ${statusMessage}`, [...passed(rawHeaders), 'connection', 'close']))
      pipeline(response, near, () => near.destroy())
    })
    far.on('error', () => near.destroy())
    far.end()
  })

  try {
    await new Promise<void>((done, fail) => server.once('error', fail).listen(port, HOST, done))
  } catch (error) {
    throw new UsageError(portTrouble(port, codeOf(error)))
  }
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    leadTo(worker) {
      target = worker === null ? null : new URL(worker)
    },
    async close() {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      for (const socket of upgrades) socket.destroy()
      await closed
    },
  }
}

/** What stands against a port, and what to do, by the code of the system's error. */
export function portTrouble(port: number, code: string): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'is in use by another program',
    EACCES: 'is kept for administrators on this machine, as ports below 1024 often are',
  }
  const reason = reasons[code] ?? `cannot be used (${code})`
  const choose = code === 'EACCES' ? '--port N, N from 1024' : '--port N'
  return `port ${port} of ${HOST} ${reason}; choose another one with ${choose}, or --port 0 for a free one`
}

interface Refusal {
  status: string
  code: string
  message: string
}
const NOT_A_PATH: Refusal = {
  status: '400 Bad Request',
  code: 'invalid_request',
  message: 'expected a path that begins with /',
}
const NOT_A_WEBSOCKET: Refusal = {
  status: '400 Bad Request',
  code: 'invalid_request',
  message: 'the only upgrade is to a websocket',
}
const NOTHING: Refusal = { status: '404 Not Found', code: 'not_found', message: 'nothing is here' }
const UNREACHABLE: Refusal = {
  status: '503 Service Unavailable',
  code: 'unavailable',
  message: 'the worker is being started; ask again in a moment',
}

const wantsWebsocket = ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket'

/** What is asked for, with `..` and the like resolved as the worker would; this form is what is looked at and what is sent on. */
const wayOf = ({ url = '' }: IncomingMessage): URL | null =>
  url.startsWith('/') ? URL.parse(`http://${HOST}${url}`) : null

function refusalOf(url: URL | null, target: URL | null): Refusal | null {
  if (!url) return NOT_A_PATH
  // Encoded once and twice, in case something behind decodes.
  const once = decoded(url.pathname)
  if ([url.pathname, once, decoded(once)].some((path) => KEPT.test(path))) return NOTHING
  return target ? null : UNREACHABLE
}

const decoded = (path: string) =>
  path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Names and values in turn, as they came. */
function passed(rawHeaders: string[]): string[] {
  return rawHeaders.filter((_, at) => !DROPPED.test(rawHeaders[at - (at % 2)]!))
}

const bodyOf = ({ code, message }: Refusal) => JSON.stringify({ error: { code, message, requestId: 'door' } })
const headersOf = (refusal: Refusal) => [
  ...['content-type', 'application/json', 'content-length', String(Buffer.byteLength(bodyOf(refusal)))],
  ...(refusal === UNREACHABLE ? ['retry-after', '1'] : []),
]

function refuse(incoming: IncomingMessage, answer: ServerResponse, refusal: Refusal): void {
  incoming.resume()
  answer.writeHead(Number.parseInt(refusal.status, 10), headersOf(refusal)).end(bodyOf(refusal))
}

const rawAnswer = (refusal: Refusal) =>
  rawHead(refusal.status, [...headersOf(refusal), 'connection', 'close']) + bodyOf(refusal)

function rawHead(status: string, headers: string[]): string {
  const lines = headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1]}\r\n`] : []))
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`
}
