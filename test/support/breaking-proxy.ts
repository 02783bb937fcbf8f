/** HTTP between runners and a server as a bad network does it: requests and answers are lost, requests come twice, chunks of
 *  logs vanish. What breaks is drawn from a seed. Sockets pass unharmed. */
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomStream } from '../../runner/engine/nn/random.ts'

const SHARE = { dropped: 0.04, unanswered: 0.04, doubled: 0.06, lostChunk: 0.2 }
/** A copy of a request comes up to this much later. */
const LATER_MS = 400

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface BreakingProxy {
  url: string
  tally: Record<'requests' | 'dropped' | 'unanswered' | 'doubled' | 'logChunks' | 'lostChunks', number>
  /** When the server gave or kept a lease, by job: the moments of its answers. */
  signsOfLife: Map<string, number[]>
  close(): Promise<void>
}

export async function breakingProxy(target: string, seed: number): Promise<BreakingProxy> {
  const random = randomStream(seed, 'proxy')
  const agent = new Agent({ keepAlive: true })
  const tally = { requests: 0, dropped: 0, unanswered: 0, doubled: 0, logChunks: 0, lostChunks: 0 }
  const signsOfLife = new Map<string, number[]>()
  const sockets = new Set<Socket>()

  const forward = async ({ method, url, headers: given }: IncomingMessage, body: Buffer): Promise<Answer> => {
    // Without `accept-encoding`: answers are read on their way.
    const { host: _, connection: __, 'transfer-encoding': ___, 'accept-encoding': ____, ...headers } = given
    const answer = await new Promise<IncomingMessage>((done, fail) => {
      request(target + url, { method, headers, agent }, done)
        .on('error', fail)
        .end(body)
    })
    const whole = { status: answer.statusCode!, headers: answer.headers, body: await bytesOf(answer) }
    if (whole.status === 200) noteSign(url!, whole.body)
    return whole
  }

  const noteSign = (url: string, body: Buffer) => {
    const key = url.endsWith('/jobs/lease')
      ? (JSON.parse(body.toString()) as { key?: string }).key
      : /jobs\/(\w+)\/(renew|reclaim)$/.exec(url)?.[1]
    if (key) signsOfLife.set(key, [...(signsOfLife.get(key) ?? []), Date.now()])
  }

  /** Null where the one who asks hears nothing. */
  const pass = async (incoming: IncomingMessage, body: Buffer): Promise<Answer | null> => {
    const [draw, other] = [random.uniform(), random.uniform()]
    tally.requests++
    if (incoming.url!.endsWith('/log') && incoming.method === 'POST') {
      tally.logChunks++
      if (other < SHARE.lostChunk) {
        tally.lostChunks++
        // Half of them look as if they had come.
        return other < SHARE.lostChunk / 2 ? null : pretended(body)
      }
    }
    if (draw < SHARE.dropped) {
      tally.dropped++
      return null
    }
    if (draw < SHARE.dropped + SHARE.unanswered) {
      tally.unanswered++
      await forward(incoming, body)
      return null
    }
    if (draw < SHARE.dropped + SHARE.unanswered + SHARE.doubled) {
      tally.doubled++
      const first = forward(incoming, body)
      const second = sleep(LATER_MS * other).then(() => forward(incoming, body))
      const [heard, unheard] = other < 0.5 ? [first, second] : [second, first]
      unheard.catch(() => {})
      return heard
    }
    return forward(incoming, body)
  }

  const proxy = createServer(async (incoming, answer) => {
    try {
      const passed = await pass(incoming, await bytesOf(incoming))
      if (!passed) return void incoming.socket.destroy()
      const { 'transfer-encoding': _, connection: __, 'keep-alive': ___, ...headers } = passed.headers
      answer.writeHead(passed.status, headers).end(passed.body)
    } catch {
      incoming.socket.destroy()
    }
  })
  const { hostname, port } = new URL(target)
  proxy.on('upgrade', (incoming, near: Socket, head: Buffer) => {
    const far = connect(Number(port), hostname)
    const headers = Array.from({ length: incoming.rawHeaders.length / 2 }, (_, at) =>
      incoming.rawHeaders.slice(2 * at, 2 * at + 2).join(': '),
    )
    far.write(`GET ${incoming.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
    far.write(head)
    for (const [one, another] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {}).on('close', () => another.destroy())
      one.pipe(another)
    }
  })
  proxy.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    tally,
    signsOfLife,
    async close() {
      const closed = new Promise((done) => proxy.close(done))
      for (const socket of sockets) socket.destroy()
      agent.destroy()
      await closed
    },
  }
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** What the server would say had the chunk come. */
function pretended(chunk: Buffer): Answer {
  const { sequence, offset, text } = JSON.parse(chunk.toString()) as { sequence: number; offset: number; text: string }
  const next = { sequence: sequence + (text ? 1 : 0), offset: offset + Buffer.byteLength(text) }
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(next)) }
}
