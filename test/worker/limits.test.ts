/** What is too large, packed, malformed or out of place is refused with a 4xx that says why. */
import { expect, test } from 'vitest'
import { ADMIN, ask, bindings, errorOf, lease, read, SLUG, say, submit, tokenFor, useFreshDatabase } from './support.ts'

useFreshDatabase()

const KIB = 1024
const submission = { benchmark: SLUG, method: 'ft', seeds: [0] }
const post = (body: BodyInit, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  ask('/api/v1/submissions', { token: ADMIN, method: 'POST', body, headers })
const padded = (bytes: number) => {
  const text = JSON.stringify({ ...submission, label: '' })
  return text.replace('"label":""', `"label":"${'x'.repeat(bytes - text.length)}"`)
}

const withParams = (params: string) =>
  JSON.stringify({ ...submission, params: 0 }).replace('"params":0', `"params":${params}`)

test.each([
  ['a body that ends early', '{"benchmark":', 400],
  ['no body', '', 400],
  ['an array', '[]', 400],
  ['a hundred thousand brackets', '['.repeat(100_000), 400],
  ['a number beyond all numbers', JSON.stringify(submission).replace('[0]', '[1e400]'), 400],
  ['a seed beyond 31 bits', JSON.stringify({ ...submission, seeds: [2 ** 31] }), 400],
  ['a key that would reach a prototype', '{"__proto__":{"benchmark":"x"},"constructor":1}', 400],
  ['a label longer than 60 characters', JSON.stringify({ ...submission, label: '💥'.repeat(61) }), 400],
  ['a name that is a prototype, in parameters', withParams('{"__proto__":1}'), 400],
  ['a name that is a prototype, written with escapes', withParams('{"\\u005f_proto__":1}'), 400],
  ['a name that is a prototype, further in', withParams('{"a":[{"__proto__":{"epochs":1}}]}'), 400],
  ['5,000 lists in each other', withParams(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`), 400],
  ['5,000 objects in each other', withParams(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`), 400],
  ['256 KiB, which is read and found too long for a label', padded(256 * KIB), 400],
  ['a byte more than 256 KiB', padded(256 * KIB + 1), 413],
])('%s is refused', async (_, body, status) => {
  const { code, message, ...found } = await errorOf(await post(body))
  expect([found.status, message]).toEqual([status, expect.stringMatching(/\w/)])
  expect(code).toBe(status === 413 ? 'body_too_large' : 'invalid_request')
})

test('what is nested too deep, or named as a prototype is, is refused by its place', async () => {
  const message = async (params: string) => (await errorOf(await post(withParams(params)))).message
  expect(await message(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`)).toBe('params: expected at most 32 levels of nesting')
  expect(await message(`${'{"a":'.repeat(31)}1${'}'.repeat(31)}`)).toMatch(/^params\.a: unknown/)
  expect(await message('{"a":[{"__proto__":1}]}')).toMatch(/^params\.a\.0\.__proto__: objects would/)
  for (const name of ['constructor', 'prototype', 'toString']) {
    expect(await message(`{"${name}":{}}`)).toBe(`params.${name}: unknown, remove it or check its spelling`)
  }
})

test('a body of unannounced length is read up to the limit and no further', async () => {
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 64 * KIB
      controller.enqueue(new Uint8Array(64 * KIB).fill(0x20))
    },
  })
  expect((await post(endless)).status).toBe(413)
  expect(sent).toBeLessThan(1024 * KIB)
})

test('a body that is packed is not unpacked', async () => {
  // 64 MiB of spaces are 64 KiB of gzip.
  const bomb = new Blob([new Uint8Array(64 * KIB * KIB).fill(0x20)]).stream().pipeThrough(new CompressionStream('gzip'))
  const packed = await new Response(bomb).arrayBuffer()
  expect(packed.byteLength).toBeLessThan(128 * KIB)
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  expect(await errorOf(await post(packed, headers))).toMatchObject({ status: 415, code: 'unsupported_encoding' })
  // Without the header it is just not JSON.
  expect((await post(packed)).status).toBe(400)
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
  'JSON that is called "%s" is refused',
  async (type) => {
    expect((await post(JSON.stringify(submission), type ? { 'content-type': type } : {})).status).toBe(400)
  },
)

test.each([
  ['/api/v1/artifacts/..%2f..%2fetc%2fpasswd', 400],
  ['/api/v1/artifacts/%00', 400],
  [`/api/v1/artifacts/${'A'.repeat(64)}`, 400],
  [`/api/v1/artifacts/${'a'.repeat(65)}`, 400],
  [`/api/v1/artifacts/${'a'.repeat(64)}`, 404],
  ['/api/v1/jobs/..%2f..%2f/log', 400],
  ['/api/v1/runs/..%2f..%2f', 404],
  ['/api/v1/runs/%f0%9f%92%a5', 404],
  [`/api/v1/runs/${'x'.repeat(121)}`, 400],
  ['/api/v1/methods/__proto__', 404],
  ['/api/v1/benchmarks/constructor/board', 404],
  ['/swagger/..%2f..%2fwrangler.toml', 404],
  ['/%', 404],
])('%s answers %i', async (path, status) => {
  expect((await ask(path)).status).toBe(status)
})

test('the limit of log chunks is that of their verb, not of every address that ends like it', async () => {
  const at = async (path: string) => (await ask(path, { method: 'POST', body: new Uint8Array(300 * KIB) })).status
  expect(await Promise.all([`/api/v1/jobs/${'a'.repeat(64)}/log`, '/api/v1/runs/log'].map(at))).toEqual([401, 413])
})

test('a chunk of log is at most 64 KiB, whatever JSON makes of its bytes', async () => {
  await submit(await tokenFor('submitter'), { seeds: [0] })
  const job = (await lease(await tokenFor('runner')))!
  // Each of these bytes is six in JSON.
  await read(await say(job, '\u0001'.repeat(64 * KIB)))
  const next = { sequence: 1, offset: 64 * KIB }
  expect((await say(job, 'x'.repeat(64 * KIB + 1), next)).status).toBe(400)
  expect((await say(job, '\u0001'.repeat(65 * KIB), next)).status).toBe(413)
  await read(await say(job, 'x', next))
})

test('one address reads so often in ten seconds, whatever token it shows; IPv6 counts by network', async () => {
  const real = bindings.READS
  const seen = new Map<string, number>()
  bindings.READS = {
    limit: async ({ key }) => {
      seen.set(key!, (seen.get(key!) ?? 0) + 1)
      return { success: seen.get(key!)! <= 2 }
    },
  }
  try {
    const from = async (address: string, path = '/api/v1/benchmarks', headers = {}) =>
      (await ask(path, { headers: { 'cf-connecting-ip': address, ...headers } })).status
    expect([await from('192.0.2.1'), await from('192.0.2.1', '/queue'), await from('192.0.2.1', '/')]).toEqual([
      200, 200, 429,
    ])
    expect(await from('192.0.2.1', '/', { authorization: 'Bearer pal_admin_made_up' })).toBe(429)
    expect(await from('192.0.2.2')).toBe(200)
    expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8:0:0:1::3')]).toEqual([
      200, 200, 429,
    ])
    expect(await from('2001:db8:0:1::1')).toBe(200)
    // This machine's own, and writes, which have limits of their own.
    for (const address of ['127.0.0.1', '127.0.0.1', '127.0.0.1', '::1']) expect(await from(address)).toBe(200)
    const answer = await ask('/api/v1/queue', { headers: { 'cf-connecting-ip': '192.0.2.1' } })
    expect(answer.headers.get('retry-after')).toBe('10')
    expect((await errorOf(answer)).code).toBe('rate_limited')
  } finally {
    bindings.READS = real
  }
})
