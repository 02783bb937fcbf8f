/** What the OpenAPI document says of requests is what the server does. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { app } from '../../worker/app.ts'
import { openApiDocument } from '../../worker/http/openapi.ts'
import type { Operation, Schema } from './arbitrary.ts'
import { ADMIN, ask, errorOf, lease, migrate, submit, tokenFor } from './support.ts'

const document = openApiDocument(app)
const operations = Object.entries(document.paths ?? {}).flatMap(([path, verbs]) =>
  Object.entries(verbs as Record<string, Operation>).map(([verb, operation]) => ({ verb, path, operation })),
)

/** Credentials of each kind: which one fits is found by asking. */
const tokens: string[] = [ADMIN]

beforeAll(async () => {
  await migrate()
  const runner = await tokenFor('runner')
  await submit(await tokenFor('submitter'), { seeds: [0] })
  tokens.push(runner, (await lease(runner))!.lease.token)
})

async function askAs(verb: string, path: string, options: Parameters<typeof ask>[1] = {}) {
  for (const token of tokens) {
    const answer = await ask(path, { token, method: verb.toUpperCase(), ...options })
    if (answer.status !== 401 && answer.status !== 403) return answer
  }
  throw new Error(`no token fits ${verb} ${path}`)
}
const askWith = (verb: string, path: string, json: unknown) =>
  askAs(verb, path, {
    ...(json !== undefined && { body: JSON.stringify(json) }),
    headers: { 'content-type': 'application/json' },
  })

/** JSON Schema reads patterns with the flag u. */
const matching = (pattern: string) =>
  fc.sample(fc.stringMatching(new RegExp(pattern, 'u')), { numRuns: 20, seed: 1 }).filter((text) => text !== '')

/** The path with what the document asks for in place of its parameters; those given as they are. */
const filled = (path: string, { parameters = [] }: Operation, given: Record<string, string> = {}) =>
  parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce((rest, { name, schema }) => {
      const text = given[name] ?? (schema.pattern === undefined ? 'x' : matching(schema.pattern)[0]!)
      return rest.replace(`{${name}}`, encodeURIComponent(text))
    }, path)

interface Place {
  name: string
  pattern: string
  /** What the server says of that text there. */
  complaint(text: string): Promise<string | undefined>
}

type Wrap = (value: unknown) => unknown

/** Every text with a pattern in a body; `wrap` makes the body around a value, which has nothing else in it. */
function textsIn(schema: Schema, at: string[] = [], wrap: Wrap = (value) => value): [string, string, Wrap][] {
  const { pattern, properties = {}, items, additionalProperties: more } = schema
  // What tells one choice from the others must be there for the rest of it to be looked at.
  const told = Object.fromEntries(
    Object.entries(properties).flatMap(([key, { enum: words = [] }]) => (words.length === 1 ? [[key, words[0]]] : [])),
  )
  const choices = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((each) => each ?? [])
  return [
    ...(pattern === undefined ? [] : [[pattern, at.join('.'), wrap] satisfies [string, string, Wrap]]),
    ...choices.flatMap((each) => textsIn(each, at, wrap)),
    ...(items ? textsIn(items, [...at, '0'], (value) => wrap([value])) : []),
    ...Object.entries({ ...properties, ...(typeof more === 'object' && { x: more }) }).flatMap(([key, each]) =>
      textsIn(each, [...at, key], (value) => wrap({ ...told, [key]: value })),
    ),
  ]
}

/** What an answer says of one place; a body that lacks all else is refused, but not there. */
async function complaintAt(at: string, answer: Response): Promise<string | undefined> {
  if (answer.status !== 400) return undefined
  const { message } = await errorOf(answer)
  return message.split('; ').find((line) => line.startsWith(`${at}: `))
}

const bodyOf = ({ requestBody }: Operation) => requestBody?.content['application/json']?.schema

const places = operations.flatMap(({ verb, path, operation }): Place[] => {
  const schema = bodyOf(operation)
  const inBody = schema ? textsIn(schema) : []
  const inPath = (operation.parameters ?? []).filter((each) => each.in === 'path' && each.schema.pattern !== undefined)
  return [
    ...inBody.map(([pattern, at, wrap]) => ({
      name: `${verb} ${path} ${at}`,
      pattern,
      complaint: async (text: string) => complaintAt(at, await askWith(verb, filled(path, operation), wrap(text))),
    })),
    ...inPath.map(({ name, schema: { pattern } }) => ({
      name: `${verb} ${path}`,
      pattern: pattern!,
      complaint: async (text: string) =>
        complaintAt(
          `param.${name}`,
          await askWith(verb, filled(path, operation, { [name]: text }), schema ? {} : undefined),
        ),
    })),
  ]
})

test.each(places)(
  '$name: the server takes what its pattern matches, and else refuses it',
  async ({ pattern, complaint }) => {
    const complaints: string[] = []
    for (const text of matching(pattern)) {
      const said = await complaint(text)
      if (said === undefined) break
      complaints.push(said)
    }
    expect(complaints.length, complaints.join('\n')).toBeLessThan(matching(pattern).length)
    expect(new RegExp(pattern, 'u').test('\u0000')).toBe(false)
    expect(await complaint('\u0000')).toBeDefined()
  },
)

test('every other pattern of the document is that of something which the server gives out', async () => {
  const patterns = new Set<string>()
  JSON.stringify(document, (key, value) => {
    if (key === 'pattern' && typeof value === 'string') patterns.add(value)
    return value
  })
  const given = [...tokens, ...(await textsGiven())]
  const asked = new Set(places.map(({ pattern }) => pattern))
  const unmatched = [...patterns].filter(
    (pattern) => !asked.has(pattern) && !given.some((text) => new RegExp(pattern, 'u').test(text)),
  )
  expect(unmatched).toEqual([])
})

/** Each text of an answer to an admin. */
async function textsGiven(): Promise<string[]> {
  const texts: string[] = []
  for (const path of ['runners', 'benchmarks', 'suites', 'submissions', 'runs', 'queue', 'server-key']) {
    JSON.parse(await (await ask(`/api/v1/${path}`, { token: ADMIN })).text(), (_, value) => {
      if (typeof value === 'string') texts.push(value)
      return value
    })
  }
  return texts
}

/** Bodies that break one rule of a schema beside its types, by the field at which the server should complain. */
function breaches(schema: Schema): [string, unknown][] {
  const { minProperties, properties = {} } = schema
  const lists = Object.entries(properties).filter(([, { uniqueItems }]) => uniqueItems)
  return [
    ...(minProperties ? [['the value', {}] satisfies [string, unknown]] : []),
    ...lists.map(([key, { items }]): [string, unknown] => {
      const item = items?.enum?.[0] ?? 0
      return [key, { [key]: [item, item] }]
    }),
  ]
}

const broken = operations.flatMap(({ verb, path, operation }) => {
  const schema = bodyOf(operation)
  return (schema ? breaches(schema) : []).map(([at, body]) => ({ verb, path, operation, at, body }))
})

test('changes of nothing and lists with repetitions are refused by the document', () => {
  const found = broken.map(({ verb, path, at }) => `${verb} ${path} ${at}`).sort()
  expect(found).toEqual([
    'patch /api/v1/runners/{id} the value',
    'patch /api/v1/submissions/{id} the value',
    'post /api/v1/submissions seeds',
    'post /api/v1/webhooks events',
  ])
})

test.each(broken)('$verb $path: the server refuses it too: $at', async ({ verb, path, operation, at, body }) => {
  expect(await complaintAt(at, await askWith(verb, filled(path, operation), body))).toBeDefined()
})

test('what becomes a socket asks for the upgrade, in the document and in the server', async () => {
  const sockets = operations.filter(({ operation }) => '101' in operation.responses)
  expect(sockets.length).toBeGreaterThan(1)
  for (const { verb, path, operation } of sockets) {
    expect(operation.parameters).toContainEqual(
      expect.objectContaining({ name: 'upgrade', in: 'header', required: true }),
    )
    const answer = await askAs(verb, filled(path, operation))
    expect((await errorOf(answer)).message).toContain('expected a WebSocket')
  }
})

const withBody = operations.filter(({ operation }) => operation.requestBody)

test.each(withBody)(
  '$verb $path: a body that is missing, empty or called otherwise is refused if it is required',
  async ({ verb, path, operation }) => {
    const at = filled(path, operation)
    for (const options of [
      {},
      { headers: { 'content-type': 'application/json' }, body: '' },
      { headers: { 'content-type': 'text/plain' }, body: '{}' },
    ]) {
      const answer = await askAs(verb, at, options)
      const isRefused = (await answer.text()).includes('expected a body with \\"Content-Type: application/json\\"')
      expect([answer.status === 400, isRefused]).toEqual(
        operation.requestBody?.required ? [true, true] : [false, false],
      )
    }
  },
)
