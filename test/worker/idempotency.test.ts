/** Requests repeated under one idempotency key, one after the other and at once. */
import { expect, test } from 'vitest'
import { ADMIN, ask, bindings, errorOf, read, SLUG, tokenFor, useFreshDatabase } from './support.ts'

useFreshDatabase()

interface Token {
  id: string
  secret: string
}
const json = { role: 'submitter', name: 'ada' }
const create = (key: string, token = ADMIN, body: unknown = json) =>
  ask('/api/v1/tokens', { token, json: body, headers: { 'idempotency-key': key } })

test('a token that is asked for again under the same key is the same, with the same secret', async () => {
  const first = await read<Token>(await create('one'), 201)
  const again = await read<Token>(await create('one'), 201)
  expect(again).toEqual(first)
  const { tokens } = await read<{ tokens: unknown[] }>(await ask('/api/v1/tokens', { token: ADMIN }))
  expect(tokens).toHaveLength(1)
  const use = { token: first.secret, json: { benchmark: SLUG, method: 'retrain', seeds: [0] } }
  expect((await ask('/api/v1/submissions', use)).status).toBe(201)
})

test('twenty requests with one key at once make one token', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => create('one')))
  const secrets = await Promise.all(answers.map(async (answer) => (await read<Token>(answer, 201)).secret))
  expect(new Set(secrets).size).toBe(1)
  const { tokens } = await read<{ tokens: unknown[] }>(await ask('/api/v1/tokens', { token: ADMIN }))
  expect(tokens).toHaveLength(1)
})

test('a secret that cannot be made again, since the server has another key, is not replaced by a wrong one', async () => {
  const own = bindings.SIGNING_KEY
  await read(await create('one'), 201)
  bindings.SIGNING_KEY = JSON.stringify({ ...JSON.parse(own!), d: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })
  const answer = await create('one')
  bindings.SIGNING_KEY = own!
  expect(await errorOf(answer)).toMatchObject({ status: 409, code: 'conflict' })
})

test('another key, another caller or no key at all gives another secret', async () => {
  const other = await tokenFor('admin')
  const asked = [create('one'), create('two'), create('one', other), ask('/api/v1/tokens', { token: ADMIN, json })]
  const secrets = await Promise.all(asked.map(async (answer) => (await read<Token>(await answer, 201)).secret))
  expect(new Set(secrets).size).toBe(4)
})

test('a key is used up by its first request, whatever the second asks for', async () => {
  await read(await create('one'), 201)
  const another = await create('one', ADMIN, { ...json, name: 'bob' })
  expect(await errorOf(another)).toMatchObject({ status: 409, code: 'idempotency_mismatch' })
  const elsewhere = { token: ADMIN, headers: { 'idempotency-key': 'one' } }
  const submission = await ask('/api/v1/submissions', { ...elsewhere, json: { benchmark: SLUG, method: 'ft' } })
  expect(await errorOf(submission)).toMatchObject({ status: 409, code: 'idempotency_mismatch' })
})

test('a refused request uses up no key', async () => {
  expect((await create('one', ADMIN, { role: 'submitter', name: '' })).status).toBe(400)
  await read(await create('one'), 201)
})

test('a token that created too much within a minute is refused; requests that are repeated are not counted', async () => {
  const real = bindings.CREATIONS
  await read(await create('before'), 201)
  const asked: string[] = []
  bindings.CREATIONS = {
    limit: async ({ key }) => {
      asked.push(key)
      return { success: false }
    },
  }
  const [refused, repeated] = [await create('after'), await create('before')]
  bindings.CREATIONS = real
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' })
  expect(repeated.status).toBe(201)
  expect(asked).toEqual(['admin'])
  await read(await create('after'), 201)
})
