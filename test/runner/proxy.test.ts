/** The way out through a proxy, a real one, for commands and for the downloads of stages. */
import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { cleanUp, cli } from '../support/cli.ts'

/** A name that nothing here resolves: who reaches it came through the proxy. */
const HOST = 'palimpsest.invalid'

let origin: Server
let proxy: Server
let tunnels: string[]
const open = new Set<Socket>()
const portOf = (server: Server) => (server.address() as AddressInfo).port

beforeEach(async () => {
  tunnels = []
  origin = createServer((request, answer) => {
    answer.setHeader('content-type', 'application/json')
    if (request.url === '/file') answer.end('what was asked for')
    else
      answer
        .writeHead(404)
        .end(JSON.stringify({ error: { code: 'not_found', message: 'nothing here, but reached', requestId: 'r' } }))
  })
  proxy = createServer((_, answer) => answer.writeHead(405).end())
  proxy.on('connect', ({ url }, near: Socket, head) => {
    tunnels.push(url!)
    const far = connect(portOf(origin), '127.0.0.1', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n')
      far.write(head)
      near.pipe(far).pipe(near)
    })
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => {})
    }
  })
  for (const server of [origin, proxy]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
afterEach(() => {
  for (const socket of open) socket.destroy()
  open.clear()
  for (const server of [origin, proxy]) server.close()
})
afterAll(cleanUp)

const board = (address: string, env: Record<string, string>) =>
  cli(['board', 'fashion-mnist-5k.small-cnn.random-10', '--server', address], env)
const way = () => `http://127.0.0.1:${portOf(proxy)}`

test.each(['HTTP_PROXY', 'http_proxy'])('a command asks its server through %s', async (name) => {
  const { code, stderr } = await board(`http://${HOST}`, { [name]: way() })
  expect([code, stderr]).toEqual([2, expect.stringContaining('nothing here, but reached')])
  expect(tunnels).toEqual([`${HOST}:80`])
})

test('HTTPS_PROXY is for https', async () => {
  await board(`https://${HOST}`, { HTTPS_PROXY: way() })
  expect(new Set(tunnels)).toEqual(new Set([`${HOST}:443`]))
})

test('NO_PROXY and this machine itself are reached without', async () => {
  const { stderr } = await board(`http://${HOST}`, { HTTP_PROXY: way(), NO_PROXY: HOST })
  expect(stderr).toContain('no such host')
  const local = await board(`http://127.0.0.1:${portOf(origin)}`, { HTTP_PROXY: way(), HTTPS_PROXY: way() })
  expect(local.stderr).toContain('nothing here, but reached')
  expect(tunnels).toEqual([])
})

test('a proxy that is no address is refused by its name', async () => {
  const { code, stderr } = await board(`http://${HOST}`, { HTTPS_PROXY: 'socks5://127.0.0.1:1080' })
  expect([code, stderr]).toEqual([2, expect.stringContaining('HTTPS_PROXY: expected the address of a proxy')])
})

test('downloads go the same way', async () => {
  const module = (path: string) => JSON.stringify(new URL(`../../runner/${path}`, import.meta.url).href)
  const script = `
    import { useProxies } from ${module('machine/proxy.ts')}
    import { download } from ${module('data/files/download.ts')}
    import { mkdtemp } from 'node:fs/promises'
    await useProxies()
    const target = (await mkdtemp('/tmp/palimpsest-proxy-')) + '/file'
    const options = { urls: ['http://${HOST}/file'], name: 'file', target, maxBytes: 100, look: async () => null, keep: async () => {} }
    console.log(await download({ ...options, accept: (body) => Buffer.from(body).toString() }))`
  const words = ['--experimental-strip-types', '--no-warnings', '--input-type=module', '-e', script]
  const child = spawn(process.execPath, words, { env: { ...process.env, HTTP_PROXY: way() } })
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect([out, errors]).toEqual(['what was asked for\n', ''])
  expect(tunnels).toEqual([`${HOST}:80`])
})
