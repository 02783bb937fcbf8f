/** The way out of a local server's webhooks: what names resolve to is looked at where they are connected to. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { openRelay, type RelayOptions } from '../../runner/server/relay.ts'
import { STATUS, TARGET } from '../../schema/webhook-relay.ts'

/** Of this machine, as a router or a database would be. */
async function receiver(status = 204, headers: Record<string, string> = {}) {
  const bodies: string[] = []
  let connections = 0
  const server = createServer(async (request, answer) => {
    bodies.push(`${request.headers['webhook-id']} ${await text(request)}`)
    answer.writeHead(status, headers).end('not for anyone')
  })
  server.on('connection', () => connections++)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, bodies, connections: () => connections }
}

async function relay(options?: RelayOptions) {
  const { url, close } = await openRelay(options)
  onTestFinished(close)
  return async (target: string, path = url) => {
    const headers = { [TARGET]: target, 'webhook-id': 'msg_1' }
    const answer = await fetch(path, { method: 'POST', headers, body: '{}' })
    return { status: answer.status, told: answer.headers.get(STATUS), after: answer.headers.get('retry-after') }
  }
}

/** As a name of someone else's would be made to lead here. */
const leadingTo = (...addresses: string[]): RelayOptions['lookup'] =>
  ((_host: string, _options: unknown, done: (...found: unknown[]) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as RelayOptions['lookup']

test.each([
  ['a name of the hosts file', 'localhost', undefined],
  ['loopback', 'hook.example.org', leadingTo('127.0.0.1')],
  ['loopback in IPv6', 'hook.example.org', leadingTo('::1', '::ffff:127.0.0.1')],
  ['an address itself', '127.0.0.1', undefined],
])(
  'nothing is connected to where a name resolves to %s, and an open port answers as a closed one',
  async (_, host, lookup) => {
    const there = await receiver()
    const send = await relay(lookup && { lookup })
    const open = await send(`http://${host}:${there.port}/hook`)
    const closed = await send(`http://${host}:9/hook`)
    expect(open).toEqual({ status: 502, told: null, after: null })
    expect(closed).toEqual(open)
    expect(there.connections()).toBe(0)
  },
)

test.each([
  '10.1.2.3',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  'fd00::1',
  'fe80::1',
  '64:ff9b::a00:1',
  '0.0.0.0',
])('a name that resolves to %s is not connected to', async (address) => {
  const send = await relay({ lookup: leadingTo(address) })
  expect(await send('https://hook.example.org/')).toEqual({ status: 502, told: null, after: null })
})

test('what may be reached gets the message, and of its answer only status and Retry-After come back', async () => {
  const there = await receiver(503, { 'retry-after': '7' })
  const send = await relay({ allows: (address) => address === '127.0.0.1', lookup: leadingTo('10.0.0.1', '127.0.0.1') })
  expect(await send(`http://hook.example.org:${there.port}/`)).toEqual({ status: 200, told: '503', after: '7' })
  expect(there.bodies).toEqual(['msg_1 {}'])
})

test('who does not know its path sends nothing', async () => {
  const there = await receiver()
  const { url, close } = await openRelay({ allows: () => true })
  onTestFinished(close)
  const send = await relay({ allows: () => true })
  expect((await send(`http://127.0.0.1:${there.port}/`, new URL('/', url).href)).status).toBe(404)
  expect(there.connections()).toBe(0)
})
