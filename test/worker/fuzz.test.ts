/** Thousands of random requests to every operation of the API's own OpenAPI document. FUZZ_SEED repeats a run, FUZZ_CASES sets how
 *  many requests each operation gets. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { errorBody, statuses } from '../../schema/errors.ts'
import { app } from '../../worker/app.ts'
import { openApiDocument } from '../../worker/http/openapi.ts'
import { type Operation, type Request, requestOf } from './arbitrary.ts'
import { ADMIN, ask, bindings, lease, migrate, read, SLUG, submit, tokenFor, upload } from './support.ts'

const { FUZZ_SEED, FUZZ_CASES } = bindings
const seed = Number(FUZZ_SEED ?? Date.now() % 0x7fffffff)
const cases = Number(FUZZ_CASES ?? 100)
console.log(`fuzz: FUZZ_SEED=${seed} repeats this, ${cases} requests an operation`)

/** What deletes comes last. */
const VERBS = ['get', 'post', 'put', 'delete'] as const
const { paths = {} } = openApiDocument(app)
const described = Object.entries(paths as Record<string, Partial<Record<(typeof VERBS)[number], Operation>>>)
const operations = VERBS.flatMap((verb) =>
  described.flatMap(([path, { [verb]: operation }]) =>
    operation ? [{ name: `${verb} ${path}`, verb, path, operation }] : [],
  ),
)

/** Things that exist, by the parameter that names them; ids by the collection that they are in. */
const ids: Record<string, string> = {}
const hints: Record<string, string[]> = {
  method: ['ft', 'retrain'],
  url: ['https://example.org/'],
  role: ['submitter'],
}
const tokens = { submitter: '', runner: '', admin: ADMIN, job: '' }

beforeAll(async () => {
  await migrate()
  tokens.submitter = await tokenFor('submitter')
  tokens.runner = await tokenFor('runner')
  const token = tokens.submitter
  const make = async (path: string, as: string, json: unknown) =>
    (await read<{ id: string }>(await ask(`/api/v1/${path}`, { token: as, json }), 201)).id
  ids.tokens = await make('tokens', ADMIN, { role: 'submitter', name: 'victim' })
  ids.webhooks = await make('webhooks', token, { url: 'https://example.org/' })
  const cancelled = await submit(token, { method: 'retrain', seeds: [0] })
  await read(await ask(`/api/v1/submissions/${cancelled.id}/cancel`, { token, method: 'POST' }))
  const sent = await ask(`/api/v1/webhooks/${ids.webhooks}/deliveries`, { token })
  hints.message = [(await read<{ deliveries: { id: string }[] }>(sent)).deliveries[0]!.id]
  const submission = await submit(token, { seeds: Array.from({ length: 50 }, (_, seed) => seed) })
  ids.submissions = submission.id
  ids.runs = submission.runs[0]!.id
  ids.methods = 'salun'
  hints.sha256 = [(await upload((await lease(tokens.runner))!, 'evidence')).sha256]
  hints.benchmark = [SLUG]
})

/** A job of its own for every operation, since some of them end it. */
beforeEach(async () => {
  const job = await lease(tokens.runner)
  if (!job) return
  hints.key = [job.key]
  tokens.job = job.lease.token
})

function worldOf(path: string, verb: string) {
  const [, , , collection = ''] = path.split('/')
  const holder = /jobs\/\{key\}\/(renew|log|finish|fail)$|artifacts/.test(path) && verb !== 'get'
  const fitting = holder ? [tokens.job] : /jobs|runners/.test(path) ? [tokens.runner] : [tokens.submitter, tokens.admin]
  const slug = collection === 'suites' ? 'fashion-mnist-5k.small-cnn.class-wise' : SLUG
  const own = { ...hints, slug: [slug], id: [ids[collection] ?? 'none'] }
  return { hints: own, tokens: { fitting, others: Object.values(tokens) } }
}

/** How often each status came, by operation. */
const tally = new Map<string, Map<number, number>>()

async function check({ name, verb, operation }: (typeof operations)[number], request: Request) {
  const { path, headers, body } = request
  const answer = await app.request(
    path,
    { method: verb.toUpperCase(), headers, ...(verb !== 'get' && { body }) },
    bindings,
  )
  const text = await answer.text()
  const counts = tally.get(name) ?? new Map()
  tally.set(name, counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1))
  expect(answer.status, text).toBeLessThan(500)
  // A path that was spoiled may be another operation's, or nobody's.
  if (![404, 405].includes(answer.status))
    expect(Object.keys(operation.responses), text).toContain(String(answer.status))
  if (answer.status < 400) return
  const { error } = errorBody.parse(JSON.parse(text))
  expect(statuses).toHaveProperty(error.code, answer.status)
  expect(error.message).not.toBe('')
}

describe.each(operations)('$name', (operation) => {
  test('answers whatever comes within its own description', async () => {
    const requests = requestOf(operation.path, operation.operation, worldOf(operation.path, operation.verb))
    await fc.assert(
      fc.asyncProperty(requests, (request) => check(operation, request)),
      { seed, numRuns: cases },
    )
  })
})

afterAll(() => {
  const lines = [...tally].map(
    ([name, counts]) =>
      `${name}: ${[...counts]
        .sort()
        .map(([status, times]) => `${times} x ${status}`)
        .join(', ')}`,
  )
  console.log(lines.join('\n'))
})
