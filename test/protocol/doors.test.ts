/** What the server of this machine must not answer: the paths that wrangler and miniflare keep for themselves. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDoor } from '../../runner/server/door.ts'
import { readTokensFile, tokensPath } from '../../runner/server/tokens.ts'
import { type CliProcess, cleanUp, startCli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { childrenOf, isAlive } from '../support/processes.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const packages = resolve(import.meta.dirname, '../../node_modules')

/** Every such path that wrangler and miniflare name. A new one is looked at, then listed here. */
const DOORS = [
  '/__cf_local/imagedelivery',
  '/__cf_local/imageupload',
  '/__cf_local/stream',
  '/__local_artifacts__', // a backend of Artifacts, inside miniflare
  '/__scheduled',
  '/cdn-cgi',
  '/cdn-cgi/',
  '/cdn-cgi/InspectorProxyWorker/websocket',
  '/cdn-cgi/ProxyWorker/',
  '/cdn-cgi/explorer',
  '/cdn-cgi/handler',
  '/cdn-cgi/live-reload',
  '/cdn-cgi/local',
  '/cdn-cgi/local/email',
  '/cdn-cgi/local/explorer',
  '/cdn-cgi/local/explorer/api',
  '/cdn-cgi/local/platform-proxy',
  '/cdn-cgi/local/r2/public',
  '/cdn-cgi/local/r2/s3',
  '/cdn-cgi/local/scheduled',
  '/cdn-cgi/mf/imagedelivery',
  '/cdn-cgi/mf/scheduled',
  '/cdn-cgi/mf/stream',
  '/cdn-cgi/pages-plugins/',
  '/cdn-cgi/styles/cf.errors.ie.css', // of a page of errors
]
const DATABASE = '00000000-0000-0000-0000-000000000000'
/** What lies behind them. */
const ROOMS = [
  '/cdn-cgi/explorer/',
  `/cdn-cgi/explorer/api/d1/database/${DATABASE}/raw`,
  `/cdn-cgi/local/explorer/api/d1/database/${DATABASE}/raw`,
  '/cdn-cgi/explorer/api/r2/buckets/palimpsest/objects/x',
  '/cdn-cgi/handler/scheduled?time=4102444800000',
  '/cdn-cgi/handler/email',
  '/cdn-cgi/local/r2/public/palimpsest/x',
]
const DELETION = JSON.stringify({ sql: 'DELETE FROM submissions; DELETE FROM runs' })

/** Ways to write a path that something behind may take for the same. */
const SPELLINGS: ((path: string) => string)[] = [
  (path) => path,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/x/..${path}`,
  (path) => `/x/%2e%2E${path}`,
  (path) => `/x\\..\\${path.slice(1)}`,
  (path) => `/%2f${path.slice(1)}`,
  (path) => path.replace('/c', '/%63').replace('/_', '/%5F'),
  (path) => path.replace('/c', '/%2563').replace('/_', '/%255F'),
  (path) => path.toUpperCase(),
]
const HOSTS = ['localhost', '127.0.0.1', 'example.org']

interface Heard {
  status: number
  text: string
}

/** Sends a path as it is, which fetch would not. */
function ask(server: string, head: string, headers: Record<string, string>, body = ''): Promise<Heard> {
  const { hostname, port } = new URL(server)
  const { promise, resolve: done, reject } = Promise.withResolvers<Heard>()
  const lines = Object.entries({ connection: 'close', 'content-length': `${body.length}`, ...headers })
  const socket = connect(Number(port), hostname, () =>
    socket.write(`${head} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`),
  )
  let text = ''
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  socket.once('error', reject).once('close', () => done({ status: Number(text.split(' ')[1]), text }))
  return promise
}

let home: string
let serving: CliProcess
let url: string
let submission: string
let hash: string
beforeAll(async () => {
  home = await temporaryFolder()
  serving = startCli(['serve', '--port', '0', '--home', home])
  await serving.said('Ctrl-C stops.')
  url = serving.output().stdout.trim()
  const adminToken = (await readTokensFile(tokensPath(home)))!.admin.secret
  const { submit, tokenFor, lease } = fakeRunner({ url, adminToken })
  const { id } = await submit(await tokenFor('submitter', 's'), { benchmark: SLUG, method: 'ft' })
  submission = id
  const job = (await lease(await tokenFor('runner', 'r')))!
  const bytes = new Uint8Array(3_000_000).fill(7)
  hash = createHash('sha256').update(bytes).digest('hex')
  const authorization = `Bearer ${job.lease.token}`
  const sent = await fetch(`${url}/api/v1/artifacts/${hash}`, {
    method: 'PUT',
    body: bytes,
    headers: { authorization },
  })
  expect(sent.ok).toBe(true)
})
afterAll(async () => {
  serving.child.kill('SIGTERM')
  await serving.ended
  await cleanUp()
})

/** What could be lost. */
async function state() {
  const told = await (await fetch(`${url}/api/v1/submissions/${submission}`)).json()
  const artifact = await (await fetch(`${url}/api/v1/artifacts/${hash}`)).arrayBuffer()
  return { told, artifact: createHash('sha256').update(Buffer.from(artifact)).digest('hex') }
}

test('what wrangler answers by itself is refused in every spelling, to every host, and nothing changes', async () => {
  const before = await state()
  expect(before.artifact).toBe(hash)
  const opened: string[] = []
  for (const path of [...DOORS, ...ROOMS]) {
    const asked = SPELLINGS.flatMap((spell) =>
      ['GET', 'HEAD', 'POST', 'PUT'].flatMap((method) =>
        HOSTS.map(async (host) => {
          const head = `${method} ${spell(path)}`
          const body = method === 'POST' || method === 'PUT' ? DELETION : ''
          const { status, text } = await ask(url, head, { host, 'content-type': 'application/json' }, body)
          // An answer to HEAD has no body; the worker's own would be a page.
          const byDoor = text.includes(method === 'HEAD' ? 'content-type: application/json' : '"requestId":"door"')
          if (status !== 404 || !byDoor) opened.push(`${head} of ${host}: ${text}`)
        }),
      ),
    )
    await Promise.all(asked)
  }
  expect(opened).toEqual([])
  expect(await state()).toEqual(before)
  // Retention says so when it ran.
  expect(await readFile(join(home, 'worker.log'), 'utf8')).not.toContain('retention')
})

test('no header leads a harmless path to another one, and no whole address or upgrade does', async () => {
  const headers = { host: 'localhost', 'MF-Original-URL': 'http://localhost/cdn-cgi/local/scheduled' }
  expect((await ask(url, 'GET /health', headers)).text).toContain('{"status":"ok"}')
  expect((await ask(url, 'GET http://localhost/cdn-cgi/local/scheduled', { host: 'localhost' })).status).toBe(400)
  const upgrade = { host: 'localhost', connection: 'Upgrade', 'sec-websocket-version': '13' }
  const key = { 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
  const reload = { ...upgrade, ...key, upgrade: 'websocket' }
  const protocol = { 'sec-websocket-protocol': 'WRANGLER_PROXYWORKER_LIVE_RELOAD_PROTOCOL' }
  expect((await ask(url, 'GET /cdn-cgi/live-reload', { ...reload, ...protocol })).status).toBe(404)
  // A connection that did not become a socket is over: nothing can follow on it.
  const second = 'GET /cdn-cgi/local/scheduled HTTP/1.1\r\nhost: localhost\r\n\r\n'
  const refused = await ask(url, 'GET /api/v1/runs/none/live', { ...reload }, second)
  expect(refused.status).toBe(404)
  expect(refused.text.match(/HTTP\/1\.1/g)).toHaveLength(1)
  expect(await readFile(join(home, 'worker.log'), 'utf8')).not.toContain('retention')
})

test('the explorer is off behind the door, too', async () => {
  const inner = /Ready on (http:\S+)/.exec(await readFile(join(home, 'worker.log'), 'utf8'))![1]!
  expect(inner).not.toBe(url)
  const raw = `/cdn-cgi/explorer/api/d1/database/${DATABASE}/raw`
  const { status } = await ask(inner, `POST ${raw}`, { host: 'localhost' }, DELETION)
  expect(status).toBe(404)
})

test('wrangler and miniflare name no such path that is not listed', () => {
  const found = new Set<string>()
  for (const folder of ['miniflare/dist/src', 'wrangler/wrangler-dist', 'wrangler/templates']) {
    for (const name of readdirSync(join(packages, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/(?<!\.d)\.(js|mjs|cjs|ts)$/.test(name)) continue
      const text = readFileSync(join(packages, folder, name), 'utf8')
      for (const [, path] of text.matchAll(/["'`](?:https?:\/\/[\w.-]+)?(\/(?:cdn-cgi|__\w)[\w/.-]*)/g))
        found.add(path!)
    }
  }
  expect([...found].sort()).toEqual([...DOORS].sort())
})

test('every path that miniflare answers before the worker is one that the door refuses', () => {
  const text = readFileSync(join(packages, 'miniflare/dist/src/workers/core/entry.worker.js'), 'utf8')
  const block = /CorePaths = \{([^}]*)\}/.exec(text)![1]!
  const paths = [...block.matchAll(/: "([^"]*)"/g)].map(([, path]) => path!)
  expect(paths.length).toBeGreaterThan(0)
  expect(paths.filter((path) => !DOORS.includes(path))).toEqual([])
})

test('bodies stream through the door both ways, piece by piece', async () => {
  const echo = createServer((incoming, answer) => void incoming.pipe(answer))
  await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done))
  const door = await openDoor(0)
  try {
    expect((await fetch(door.url)).status).toBe(503)
    door.leadTo(`http://127.0.0.1:${(echo.address() as AddressInfo).port}`)
    const outgoing = request(door.url, { method: 'PUT' })
    outgoing.write('first')
    const [answer, heard] = await new Promise<[string, string]>((done, fail) => {
      let text = ''
      outgoing.once('error', fail).once('response', (response) =>
        response
          .setEncoding('utf8')
          .once('data', (piece: string) => outgoing.end(`after ${piece}`))
          .on('data', (piece: string) => {
            text += piece
          })
          .once('end', () => done([String(response.statusCode), text])),
      )
    })
    expect(answer).toBe('200')
    expect(heard).toBe('firstafter first')
  } finally {
    await door.close()
    echo.close()
  }
})

test('a socket passes the door', async () => {
  const told = (await (await fetch(`${url}/api/v1/submissions/${submission}`)).json()) as { runs: { id: string }[] }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/runs/${told.runs[0]!.id}/live`)
  await new Promise((done, fail) => {
    socket.addEventListener('open', done)
    socket.addEventListener('error', fail)
  })
  socket.close()
})

test('a workerd that was killed is noticed: the server answers again at the same address, with the same state', async () => {
  const before = await state()
  const [wrangler] = await childrenOf(serving.child.pid!)
  const workers = await childrenOf(wrangler!)
  expect(workers.length).toBeGreaterThan(0)
  for (const pid of workers) process.kill(pid, 'SIGKILL')
  for (let waited = 0; isAlive(wrangler!) && waited < 60_000; waited += 500) await sleep(500)
  expect(isAlive(wrangler!)).toBe(false)
  let status = 0
  for (let waited = 0; status !== 200 && waited < 60_000; waited += 500) {
    await sleep(500)
    status = (await fetch(`${url}/health`)).status
    expect([200, 503]).toContain(status)
  }
  expect(status).toBe(200)
  expect(await state()).toEqual(before)
  expect(await readFile(join(home, 'worker.log'), 'utf8')).toMatch(/The worker .* is started again/)
})
