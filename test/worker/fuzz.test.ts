/** Thousands of random requests to every operation of the API's own OpenAPI document. FUZZ_SEED repeats a run, FUZZ_CASES sets how
 *  many requests each operation gets. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { errorBody, statuses } from '../../schema/errors.ts'
import { app } from '../../worker/app.ts'
import { openApiDocument } from '../../worker/openapi.ts'
import { type Operation, type Request, requestOf } from './arbitrary.ts'
import { ADMIN, ask, bindings, lease, migrate, read, submit, tokenFor } from './support.ts'

const { FUZZ_SEED, FUZZ_CASES } = bindings
const seed = Number(FUZZ_SEED ?? Date.now() % 0x7fffffff)
const cases = Number(FUZZ_CASES ?? 100)
console.log(`fuzz: FUZZ_SEED=${seed} repeats this, ${cases} requests an operation`)

const VERBS = ['get', 'post', 'put', 'delete'] as const
const { paths = {} } = openApiDocument(app)
const operations = Object.entries(paths as Record<string, Partial<Record<(typeof VERBS)[number], Operation>>>).flatMap(
  ([path, verbs]) =>
    VERBS.flatMap((verb) => (verbs[verb] ? [{ name: `${verb} ${path}`, verb, path, operation: verbs[verb] }] : [])),
)

/** Things that exist: what they are called, and who may ask. */
const world = { known: [] as string[], tokens: [] as string[] }

beforeAll(async () => {
  await migrate()
  const [submitter, runner] = [await tokenFor('submitter'), await tokenFor('runner')]
  const submission = await submit(submitter, { seeds: [0, 1] })
  const job = (await lease(runner))!
  const token = await read<{ id: string }>(
    await ask('/api/v1/tokens', { token: ADMIN, json: { role: 'submitter', name: 'victim' } }),
    201,
  )
  const webhook = await read<{ id: string }>(
    await ask('/api/v1/webhooks', { token: submitter, json: { url: 'https://example.org/' } }),
    201,
  )
  world.known = [
    submission.id,
    submission.runs[0]!.id,
    job.key,
    job.lease.token,
    token.id,
    webhook.id,
    submission.benchmark,
    'salun',
  ]
  world.tokens = [submitter, runner, ADMIN]
})

async function check({ verb, operation }: (typeof operations)[number], request: Request) {
  const { path, headers, body } = request
  const answer = await app.request(
    path,
    { method: verb.toUpperCase(), headers, ...(verb !== 'get' && { body }) },
    bindings,
  )
  const text = await answer.text()
  expect(answer.status, text).toBeLessThan(500)
  // A path that was spoiled may be another operation's, or nobody's.
  if (answer.status !== 404) expect(Object.keys(operation.responses), text).toContain(String(answer.status))
  if (answer.status < 400) return
  const { error } = errorBody.parse(JSON.parse(text))
  expect(statuses).toHaveProperty(error.code, answer.status)
  expect(error.message).not.toBe('')
}

describe.each(operations)('$name', (operation) => {
  test('answers whatever comes within its own description', async () => {
    const requests = requestOf(operation.path, operation.operation, world)
    await fc.assert(
      fc.asyncProperty(requests, (request) => check(operation, request)),
      { seed, numRuns: cases },
    )
  })
})
