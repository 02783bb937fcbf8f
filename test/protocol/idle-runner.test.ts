/** A real runner that waits for work: with a socket, behind a proxy that knows none, and while its server is away. */
import { createServer, type Server as HttpServer, request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliProcess, cleanUp, startCli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
/** Longer than the server lets a runner without a socket wait (5 s, a quarter more by chance). */
const POLLED_MS = 20_000
/** Shorter than that: only a socket wakes so soon. */
const WOKEN_MS = 3_000

let server: Server
let admin: ReturnType<typeof fakeRunner>
let submitter: string
let proxy: HttpServer
beforeAll(async () => {
  server = await startServer()
  admin = fakeRunner(server)
  submitter = await admin.tokenFor('submitter', 'ada')
  // Forwards requests, and takes one that asks for a socket for a plain one, as such proxies do.
  proxy = createServer((incoming, answer) => {
    const { host: _, connection, upgrade, ...headers } = incoming.headers
    const { method, url } = incoming
    const outgoing = request(server.url + url, { method, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers)
      response.pipe(answer)
    })
    outgoing.on('error', () => answer.destroy())
    incoming.pipe(outgoing)
  })
  await listen(0)
})
afterAll(async () => {
  await cleanUp()
  proxy?.close()
  await server?.stop()
})

const listen = (port: number) => new Promise<void>((done) => proxy.listen(port, '127.0.0.1', done))
const proxyPort = () => (proxy.address() as { port: number }).port

async function startRunner(url: string): Promise<CliProcess> {
  const words = ['runner', '--server', url, '--home', await temporaryFolder(), '--json']
  return startCli(words, { PALIMPSEST_ENROLMENT: await admin.invite() })
}
async function stop(runner: CliProcess): Promise<void> {
  runner.child.kill('SIGTERM')
  await runner.said('once more gives it back')
  runner.child.kill('SIGTERM')
  expect((await runner.ended).code).toBe(0)
}

let seed = 0
/** How long after a submission the runner began its first job. */
async function wokenAfter(runner: CliProcess): Promise<number> {
  const start = performance.now()
  const { id } = await admin.submit(submitter, { benchmark: SLUG, method: 'retrain', seeds: [seed++] })
  await runner.said('"kind":"leased"')
  const ms = performance.now() - start
  await admin.post(`/api/v1/submissions/${id}/cancel`, submitter, {})
  return ms
}

test('an idle runner begins at once when something is submitted', async () => {
  const runner = await startRunner(server.url)
  // Asked, and asked again when its socket was open.
  await runner.said(/"kind":"idle"[\s\S]*"kind":"idle"/)
  expect(await wokenAfter(runner)).toBeLessThan(WOKEN_MS)
  await stop(runner)
})

test('behind a proxy without sockets it asks as often as the server says', async () => {
  const runner = await startRunner(`http://127.0.0.1:${proxyPort()}`)
  await runner.said(/"kind":"idle"[\s\S]*"kind":"idle"/)
  expect(await wokenAfter(runner)).toBeLessThan(POLLED_MS)
  await stop(runner)
})

test('a runner whose server is away says so, keeps trying, and works when it is back', async () => {
  const port = proxyPort()
  const runner = await startRunner(`http://127.0.0.1:${port}`)
  await runner.said('"kind":"idle"')
  proxy.close()
  proxy.closeAllConnections()
  await runner.said(/nothing answers at this address \(ECONNREFUSED\); next try in \d+ s[\s\S]*ECONNREFUSED/)
  await listen(port)
  expect(await wokenAfter(runner)).toBeLessThan(POLLED_MS)
  await stop(runner)
})
