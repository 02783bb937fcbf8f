/** Downloads of pinned files from a server that fails in many ways. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadPinned, type PinnedFile, type Tuning } from '../../runner/data/files/pinned.ts'
import { DatasetError, type LoadOptions } from '../../runner/science/dataset.ts'
import { sha256Of } from '../../runner/store/digest.ts'

const content = Uint8Array.from({ length: 100_000 }, (_, index) => (index * index) % 251)
const body = gzipSync(content)

let cache: string
let server: Server
let requests: string[]
/** How the server answers; each test sets it. */
let answer: RequestListener

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  requests = []
  server = createServer((request, response) => {
    requests.push(request.url!)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(cache, { recursive: true })
})

const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`

function load(options: Partial<LoadOptions> = {}, tuning: Tuning = {}, paths = ['data.gz']): Promise<Uint8Array> {
  const file: PinnedFile = { name: 'data', sha256: sha256Of(content), bytes: content.length, urls: paths.map(url) }
  return loadPinned(file, 'toy', { directories: [], cache, ...options }, { pauseMs: 1, ...tuning })
}

/** Everything under the cache that is a file. */
const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable(),
    (error) => error,
  )

describe('a download', () => {
  test('is unpacked, kept in the cache and not repeated', async () => {
    answer = (_, response) => response.end(body)
    expect(Buffer.from(await load()).equals(content)).toBe(true)
    expect(await filesIn(cache)).toEqual(['data.gz'])
    expect(Buffer.from(await load()).equals(content)).toBe(true)
    expect(requests).toEqual(['/data.gz'])
  })

  test('tells how far it is', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-length': body.length }).end(body)
    const seen: { phase: string; done: number; total: number; unit: string }[] = []
    await load({ onProgress: (progress) => seen.push(progress) })
    expect(seen.at(-1)).toEqual({ phase: 'downloading data.gz', done: body.length, total: body.length, unit: 'bytes' })
  })

  test('is tried again after a server error', async () => {
    answer = (_, response) => (requests.length < 3 ? response.writeHead(503).end() : response.end(body))
    await load()
    expect(requests).toHaveLength(3)
  })

  test('goes to the next address when a file is not there', async () => {
    answer = ({ url }, response) => (url === '/gone.gz' ? response.writeHead(404).end() : response.end(body))
    await load({}, {}, ['gone.gz', 'data.gz'])
    expect(requests).toEqual(['/gone.gz', '/data.gz'])
  })

  test('that breaks off keeps what came, and says what to do', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': body.length })
      response.write(body.subarray(0, 100), () => response.destroy())
    }
    const error = await failure(load())
    expect(error).toBeInstanceOf(DatasetError)
    expect(error.message).toContain('data.gz could not be downloaded')
    expect(error.message).toContain('--data DIR')
    expect(requests).toHaveLength(3)
    expect((await filesIn(cache)).sort()).toEqual(['data.gz.part', 'data.gz.part.json'])
  })

  test('that is cancelled stops at once, and no file counts as whole', async () => {
    const controller = new AbortController()
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': body.length })
      response.write(body.subarray(0, 100), () => controller.abort())
    }
    expect((await failure(load({ signal: controller.signal }))).name).toBe('AbortError')
    expect(requests).toHaveLength(1)
    expect(await filesIn(cache)).not.toContain('data.gz')
  })

  test('from which nothing comes any more is given up', async () => {
    answer = (_, response) => {
      response.writeHead(200)
      response.write(body.subarray(0, 100))
    }
    const error = await failure(load({}, { attempts: 1, stallMs: 50 }))
    expect(error.message).toContain('no data for 0.05 s')
    expect(await filesIn(cache)).not.toContain('data.gz')
  })

  test('of another content is refused by its hash', async () => {
    const other = gzipSync(content.map((byte) => byte ^ 1))
    answer = (_, response) => response.end(other)
    const error = await failure(load({}, { attempts: 2 }))
    expect(error).toBeInstanceOf(DatasetError)
    expect(error.message).toContain(`expected the SHA-256 ${sha256Of(content)}`)
    expect(requests).toHaveLength(2)
    expect(await filesIn(cache)).toEqual([])
  })

  test('that unpacks to more than expected is refused before it fills the memory', async () => {
    answer = (_, response) => response.end(gzipSync(new Uint8Array(content.length + 1)))
    expect((await failure(load({}, { attempts: 1 }))).message).toContain('expected 100000 bytes unpacked, got 100001')
  })

  test('that is larger than the file can be is cut off', async () => {
    answer = (_, response) => response.end(Buffer.alloc(10_000_000, 1))
    expect((await failure(load())).message).toContain('expected at most 101024 bytes, got more')
    expect(requests).toHaveLength(1)
  })
})

/** Serves ranges of a body and cuts every answer after so many bytes. */
const cutting =
  (
    bytes: number,
    { tag = '"1"', served = body, ranges = true }: { tag?: string | null; served?: Uint8Array; ranges?: boolean } = {},
  ): RequestListener =>
  (request, response) => {
    const { range, 'if-range': only } = request.headers
    const from = ranges && range && (only === undefined || only === tag) ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0
    asked.push(from)
    const rest = served.subarray(from)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(tag && { etag: tag }),
      ...(from > 0 && { 'content-range': `bytes ${from}-${served.length - 1}/${served.length}` }),
    })
    if (rest.length <= bytes) response.end(rest)
    else response.write(rest.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20))
  }
let asked: number[]
beforeEach(() => {
  asked = []
})

test('a file that the folders of the user do not have is named with them where it cannot be had either', async () => {
  answer = (_, response) => response.writeHead(404).end()
  const { message } = await failure(load({ directories: ['/somewhere'] }))
  expect(message).toMatch(
    /^data\.gz is not in the folders of --data \(looked for data or data\.gz; \/somewhere is not there; \/somewhere\/toy is not there\), and could not be downloaded:/,
  )
})

describe('a download that broke', () => {
  const step = Math.ceil(body.length / 8)

  test('goes on where it broke, as often as it gets on, and only what was missing comes again', async () => {
    answer = cutting(step)
    expect(Buffer.from(await load()).equals(content)).toBe(true)
    expect(asked).toHaveLength(8)
    expect(asked).toEqual([...asked].sort((a, b) => a - b))
    expect(asked.slice(1).every((from) => from > 0)).toBe(true)
    expect(await filesIn(cache)).toEqual(['data.gz'])
  })

  test('goes on in another process', async () => {
    answer = (request, response) =>
      asked.length < 2 ? cutting(step)(request, response) : response.writeHead(404).end()
    await failure(load())
    const kept = (await stat(join(cache, 'toy', 'data.gz.part'))).size
    expect(kept).toBeGreaterThan(0)
    asked = []
    answer = cutting(body.length)
    expect(Buffer.from(await load()).equals(content)).toBe(true)
    expect(asked).toEqual([kept])
  })

  test('begins anew where the file has changed meanwhile, and where the server knows no ranges', async () => {
    answer = (request, response) =>
      cutting(asked.length === 0 ? step : body.length, { tag: `"${asked.length}"` })(request, response)
    expect(Buffer.from(await load()).equals(content)).toBe(true)
    expect(asked).toEqual([0, 0])
    await rm(join(cache, 'toy'), { recursive: true })
    asked = []
    answer = (request, response) =>
      cutting(asked.length === 0 ? step : body.length, { ranges: false })(request, response)
    expect(Buffer.from(await load()).equals(content)).toBe(true)
    expect(asked).toEqual([0, 0])
  })

  test('is not put together of two files: the hash is of the whole, and the next try begins anew', async () => {
    const other = gzipSync(content.map((byte) => byte ^ 1))
    answer = (request, response) =>
      cutting(asked.length === 0 ? step : other.length + body.length, {
        tag: null,
        served: asked.length === 0 ? other : body,
      })(request, response)
    expect(Buffer.from(await load()).equals(content)).toBe(true)
    expect(asked[1]).toBeGreaterThan(0)
    expect(asked[2]).toBe(0)
  })

  test('goes on at the address that it came from, not with what another one had', async () => {
    answer = (request, response) => {
      if (request.url !== '/second.gz') cutting(step, { ranges: false })(request, response)
      else cutting(body.length)(request, response)
    }
    expect(Buffer.from(await load({}, { attempts: 2 }, ['first.gz', 'second.gz'])).equals(content)).toBe(true)
    expect(requests.at(-1)).toBe('/second.gz')
    expect(asked.at(-1)).toBe(0)
  })
})

test('two that need the same file at once download it once', async () => {
  answer = (_, response) => void setTimeout(() => response.end(body), 50)
  const [one, two] = await Promise.all([load(), load()])
  expect([one, two].every((bytes) => Buffer.from(bytes).equals(content))).toBe(true)
  expect(requests).toHaveLength(1)
})
