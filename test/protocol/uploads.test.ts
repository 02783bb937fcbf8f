/** A large artifact between a runner's disk and the real Worker, over connections that break. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { downloadArtifact, uploadArtifact } from '../../runner/agent/artifacts.ts'
import { createClient } from '../../runner/agent/client.ts'
import type { HeldLease } from '../../runner/agent/heartbeat.ts'
import { openStore, StoreError } from '../../runner/store/store.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { PART_BYTES } from '../../schema/protocol/upload.ts'
import type { Progress } from '../../schema/result.ts'
import { cleanUp, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { type Server, startServer } from '../support/server.ts'

/** 120 MB: eight parts. */
const BYTES = 120_000_000
const PARTS = Math.ceil(BYTES / PART_BYTES)

let server: Server
let proxy: Awaited<ReturnType<typeof breakingProxy>>
let token: string
let job: Job

beforeAll(async () => {
  server = await startServer()
  proxy = await breakingProxy(server.url)
  const { tokenFor, submit, lease } = fakeRunner(server)
  await submit(await tokenFor('submitter', 's'), { benchmark: 'fashion-mnist-5k.small-cnn.random-10', method: 'ft' })
  token = await tokenFor('runner', 'r')
  job = (await lease(token))!
})

afterAll(async () => {
  proxy.close()
  await server.stop()
  await cleanUp()
})

/** Passes connections on, and breaks all of them once when so many bytes went up or came down. */
async function breakingProxy(url: string) {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let budget = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY }
  let moved = { up: 0, down: 0 }
  const count = (way: 'up' | 'down') => (piece: Buffer) => {
    moved[way] += piece.length
    budget[way] -= piece.length
    if (budget[way] > 0) return
    budget[way] = Number.POSITIVE_INFINITY
    for (const socket of sockets) socket.destroy()
  }
  const listener = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .once('close', () => {
          sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
    }
    near.on('data', count('up'))
    far.on('data', count('down'))
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    /** Counts from here, and breaks after this much. */
    begin(limits: Partial<typeof budget> = {}) {
      moved = { up: 0, down: 0 }
      budget = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY, ...limits }
    },
    moved: () => moved,
    close() {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** What the two sides of a transfer are handed; `said` gathers the lines of the log. */
async function transfer(signal = new AbortController().signal) {
  const said: string[] = []
  const progress: Progress[] = []
  return {
    client: createClient({ server: proxy.url, token }),
    store: openStore(await temporaryFolder()),
    lease: { signal, token: () => job.lease.token } as HeldLease,
    key: job.key,
    signal,
    say: (line: string) => said.push(line),
    onProgress: (newest: Progress) => progress.push(newest),
    said,
    progress,
  }
}

test('a file of 120 MB survives a stop and a broken connection, on its way there and back', async () => {
  const stop = new AbortController()
  const first = await transfer(stop.signal)
  const ref = await first.store.put(randomBytes(BYTES))
  // The runner is stopped after its second part.
  const onProgress = ({ done }: Progress) => done >= 2 * PART_BYTES && stop.abort(new Error('stopped'))
  await expect(uploadArtifact({ ...first, onProgress }, 'weights', ref)).rejects.toThrow('stopped')

  const second = { ...(await transfer()), store: first.store }
  proxy.begin({ up: 40_000_000 })
  await uploadArtifact(second, 'weights', ref)
  expect(second.said).toEqual(['sending weights, 120 MB', `2 of ${PARTS} parts of weights are there already`])
  expect(second.progress.at(-1)).toMatchObject({ done: BYTES, total: BYTES })
  // Six parts were missing; the part that broke went twice at most. Eight would be more than 120 MB.
  expect(proxy.moved().up).toBeLessThan(BYTES - PART_BYTES + 1_000_000)

  // What is there is not sent again.
  proxy.begin()
  await uploadArtifact(second, 'weights', ref)
  expect(proxy.moved().up).toBeLessThan(10_000)

  const third = await transfer()
  proxy.begin({ down: 50_000_000 })
  await downloadArtifact(third, 'weights', ref)
  await third.store.verify(ref.sha256)
  // The break came in the middle of a block, and cost only what was on its way.
  expect(proxy.moved().down).toBeLessThan(BYTES + 4_000_000)
})

test('a file that was damaged on the runner is named, and the server keeps nothing of it', async () => {
  const context = await transfer()
  const { sha256, bytes } = await context.store.put(randomBytes(60_000_000))
  await writeFile(join(context.store.home, 'objects', sha256.slice(0, 2), sha256), randomBytes(bytes))
  const sent = uploadArtifact(context, 'weights', { sha256, bytes })
  await expect(sent).rejects.toThrow(StoreError)
  await expect(sent).rejects.toThrow(/the file is damaged; it was moved to/)
  expect((await fetch(`${server.url}/api/v1/artifacts/${sha256}`)).status).toBe(404)
})
