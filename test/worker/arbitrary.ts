/** Random requests for an operation of an OpenAPI document: mostly what its schemas allow, partly spoiled. */
import fc from 'fast-check'

export interface Schema {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  propertyNames?: Schema
  items?: Schema
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
}

interface Parameter {
  name: string
  in: 'path' | 'query' | 'header' | 'cookie'
  required?: boolean
  schema: Schema
}

export interface Operation {
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, unknown>
}

export interface Request {
  path: string
  headers: Record<string, string>
  body: string | null
}

const nastyText = fc.constantFrom(
  '',
  ' ',
  '..',
  '../../../etc/passwd',
  '..%2f..%2f',
  '%00',
  '%',
  '%ff%fe',
  "' OR 1=1 --",
  '{}',
  'null',
  'constructor',
  '__proto__',
  'a'.repeat(5000),
  '0'.repeat(64),
  '1e400',
  '-1',
  '99999999999999999999',
  '\u0000',
  '\ud800',
  '💥é中\u202e',
)
const nasty: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 53, 1e308, -1e308, [], {}, [[[[[[]]]]]]),
  fc.jsonValue({ maxDepth: 4 }),
)

/** What some names usually stand for, so that generated requests reach beyond the first check. */
export type Hints = Record<string, string[]>

/** A value that the schema allows, as far as the schema says; strings under a name of `hints` are mostly of those. */
function instanceOf(schema: Schema, hints: Hints, name = ''): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map((each) => instanceOf(each, hints, name)))
  if (schema.allOf) {
    return fc.tuple(...schema.allOf.map((each) => instanceOf(each, hints))).map((parts) => Object.assign({}, ...parts))
  }
  const types = [schema.type ?? []].flat()
  return types.length > 0 ? fc.oneof(...types.map((type) => typed(type, schema, hints, name))) : nasty
}

function typed(type: string, schema: Schema, hints: Hints, name: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string': {
      const any = schema.pattern
        ? fc.stringMatching(new RegExp(schema.pattern, 'u'))
        : fc.string({ ...lengths(schema, 0), unit: 'binary' })
      return hints[name] ? mostly(fc.constantFrom(...hints[name]), any) : any
    }
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? (schema.exclusiveMinimum ?? -0x80000000) + 1, -0x80000000),
        max: Math.min(schema.maximum ?? (schema.exclusiveMaximum ?? 0x7fffffff) - 1, 0x7fffffff),
      })
    case 'number':
      return fc.double({
        min: schema.minimum ?? schema.exclusiveMinimum ?? -1e6,
        max: schema.maximum ?? schema.exclusiveMaximum ?? 1e6,
        noNaN: true,
      })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(instanceOf(schema.items ?? {}, hints, name), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, Math.min(schema.maxItems ?? 4, 4)),
      })
    default:
      return objectOf(schema, hints)
  }
}

function objectOf({ properties = {}, required = [], additionalProperties, propertyNames }: Schema, hints: Hints) {
  const values = Object.entries(properties).map(([name, each]) => [name, instanceOf(each, hints, name)])
  const own = fc.record<Record<string, unknown>>(Object.fromEntries(values), { requiredKeys: required })
  if (typeof additionalProperties !== 'object') return own
  const more = fc.dictionary(fc.string(lengths(propertyNames, 1)), instanceOf(additionalProperties, hints), {
    maxKeys: 3,
  })
  return fc.tuple(own, mostly(fc.constant({}), more, 1)).map(([a, b]) => ({ ...b, ...a }))
}

const lengths = ({ minLength, maxLength = 40 }: Schema = {}, least: number) => ({
  minLength: minLength ?? least,
  maxLength: Math.min(maxLength, 200),
})

/** Replaces, drops or adds something somewhere in a value. */
const spoiled = (value: unknown): fc.Arbitrary<unknown> => {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return nasty
  const names = Object.keys(value)
  const inside = fc
    .constantFrom(...names)
    .chain((name) => spoiled((value as Record<string, unknown>)[name]).map((inner) => ({ ...value, [name]: inner })))
  const less = fc.constantFrom(...names).map((name) => {
    const { [name]: _, ...rest } = value as Record<string, unknown>
    return rest
  })
  const more = fc.tuple(nastyText, nasty).map(([name, inner]) => ({ ...value, [name]: inner }))
  return fc.oneof({ weight: 4, arbitrary: inside }, less, more, nasty)
}

const mostly = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>, weight = 4) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: other })

/** What a header may hold: visible ASCII. */
const headerText = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
})

const asText = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

const encoded = (text: string) => encodeURIComponent(text.toWellFormed())

interface World {
  hints: Hints
  /** Whose secrets fit the operation, and all others. */
  tokens: { fitting: string[]; others: string[] }
}

export function requestOf(
  template: string,
  { parameters = [], requestBody }: Operation,
  { hints, tokens }: World,
): fc.Arbitrary<Request> {
  const paramOf = ({ name, schema }: Parameter): fc.Arbitrary<string> =>
    mostly(
      instanceOf(schema, hints, name).map(asText),
      fc.oneof(nastyText, fc.constantFrom(...Object.values(hints).flat())),
    )
  const placed = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place)
  const paramsIn = (place: Parameter['in']) =>
    fc.record<Record<string, string>>(Object.fromEntries(placed(place).map((each) => [each.name, paramOf(each)])), {
      requiredKeys: place === 'path' ? placed(place).map(({ name }) => name) : [],
    })
  const path = paramsIn('path').map((values) =>
    Object.entries(values).reduce(
      (filled, [name, text]) => filled.replace(`{${name}}`, encoded(asText(text))),
      template,
    ),
  )
  const query = fc
    .tuple(paramsIn('query'), mostly(fc.constant({}), fc.dictionary(fc.constantFrom('x', '__proto__'), nastyText), 9))
    .map(([own, more]) => Object.entries({ ...own, ...more }).map(([name, text]) => `${name}=${encoded(asText(text))}`))
  const headers = paramsIn('header').map((values) =>
    Object.fromEntries(Object.entries(values).map(([name, text]) => [name, asText(text).replace(/[^\x21-\x7e]/g, '')])),
  )
  const bearer = (secrets: string[]) => fc.constantFrom(...secrets).map((secret): string | null => `Bearer ${secret}`)
  const authorization = fc.oneof(
    { weight: 16, arbitrary: bearer(tokens.fitting) },
    { weight: 2, arbitrary: bearer(tokens.others) },
    fc.oneof(fc.constant(null), headerText, fc.constantFrom('Bearer', 'Basic YTpi', 'Bearer pal_job_00')),
  )
  const rare = fc.record(
    {
      'content-encoding': fc.constantFrom('gzip', 'br', 'identity', 'x'),
      'content-type': fc.constantFrom(
        '',
        'text/plain',
        'application/json; charset=utf-16',
        'multipart/form-data',
        'application/x-www-form-urlencoded',
      ),
      'content-length': fc.constantFrom('0', '-1', '99999999999'),
      range: fc.constantFrom('bytes=0-', 'bytes=-1', 'bytes=5-2', 'bytes=999999999999-', 'x'),
    },
    { requiredKeys: [] },
  )
  const schema = Object.values(requestBody?.content ?? {})[0]?.schema
  const valid = schema ? instanceOf(schema, hints) : nasty
  const body = fc.oneof(
    { weight: 6, arbitrary: valid.map((value) => JSON.stringify(value)) },
    { weight: 3, arbitrary: valid.chain(spoiled).map((value) => JSON.stringify(value) ?? '') },
    fc.oneof(
      nastyText,
      fc.string({ unit: 'binary' }),
      fc.constantFrom('{', '[1,', '{"a":1}}', '"', '\ufeff{}', '['.repeat(20_000), ' '.repeat(300_000)),
    ),
  )
  return fc
    .record({
      path,
      query,
      headers,
      authorization,
      rare: mostly(fc.constant({}), rare, 19),
      body: requestBody ? mostly(body, fc.constant(null), 19) : mostly(fc.constant<string | null>(null), body, 9),
    })
    .map(({ path, query, headers, authorization, rare, body }) => ({
      path: query.length > 0 ? `${path}?${query.join('&')}` : path,
      headers: {
        ...headers,
        ...(authorization === null ? {} : { authorization }),
        ...(body === null ? {} : { 'content-type': 'application/json' }),
        ...rare,
      },
      body,
    }))
}
