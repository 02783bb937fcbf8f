/** Tokens and roles: who may do what. */
import { expect, test } from 'vitest'
import { leaseRequest as requestWith } from '../support/probe.ts'
import { ADMIN, ask, errorOf, read, SLUG, tokenFor, useFreshDatabase } from './support.ts'

useFreshDatabase()

const submission = { benchmark: SLUG, method: 'retrain', seeds: [0] }
const leaseRequest = requestWith('0'.repeat(32))

test('writing needs a token, and an unknown one is as good as none', async () => {
  const cases = [undefined, 'pal_submitter_0000', 'something else']
  for (const token of cases) {
    const answer = await ask('/api/v1/submissions', { token, json: submission })
    expect(await errorOf(answer)).toMatchObject({ status: 401, code: 'unauthorized' })
  }
})

test('each role may do its own part only', async () => {
  const [submitter, runner, admin] = [await tokenFor('submitter'), await tokenFor('runner'), await tokenFor('admin')]
  const statuses = async (token: string) => [
    (await ask('/api/v1/submissions', { token, json: submission })).status,
    (await ask('/api/v1/jobs/lease', { token, json: leaseRequest })).status,
    (await ask('/api/v1/tokens', { token })).status,
  ]
  // People and runners show credentials of different kinds, and the other's is none.
  expect(await statuses(submitter)).toEqual([201, 401, 403])
  expect(await statuses(runner)).toEqual([401, 200, 401])
  expect(await statuses(admin)).toEqual([201, 401, 200])
})

test('a secret is shown once and a revoked token is refused', async () => {
  const created = await read<{ id: string; secret: string }>(
    await ask('/api/v1/tokens', { token: ADMIN, json: { role: 'submitter', name: 'ada' } }),
    201,
  )
  expect(created.secret).toMatch(/^pal_submitter_[0-9a-f]{48}$/)
  const listed = await (await ask('/api/v1/tokens', { token: ADMIN })).text()
  expect(listed).toContain('ada')
  expect(listed).not.toContain(created.secret)
  await read(await ask(`/api/v1/tokens/${created.id}`, { token: ADMIN, method: 'DELETE' }))
  expect((await ask('/api/v1/submissions', { token: created.secret, json: submission })).status).toBe(401)
})

test('a refusal carries the id of its request', async () => {
  const answer = await ask('/api/v1/submissions', { json: submission })
  const { error } = (await answer.json()) as { error: { requestId: string } }
  expect(error.requestId).toBe(answer.headers.get('x-request-id'))
})
