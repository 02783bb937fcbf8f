/** `tolerant`: what it leaves out, and what it still refuses. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { tolerant } from '../../schema/tolerant.ts'

const inner = z.strictObject({ n: z.int() })
/** Unknown keys at every place that a schema can hide an object in. */
const whole = z.strictObject({
  list: z.array(inner),
  byName: z.record(z.string(), inner),
  pair: z.tuple([inner], inner),
  either: z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.string() })]),
  kind: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('x'), x: inner }),
    z.strictObject({ kind: z.literal('y'), y: inner }),
  ]),
  maybe: inner.optional(),
  none: inner.nullable(),
  usual: inner.default({ n: 7 }),
  early: inner.prefault({ n: 8 }),
  fixed: inner.readonly(),
  both: z.intersection(z.object({ p: inner }), z.object({ q: inner })),
  piped: z.pipe(
    inner,
    z.transform(({ n }) => ({ m: n })),
  ),
  later: z.lazy(() => inner),
})
const value = {
  list: [{ n: 1 }],
  byName: { one: { n: 1 } },
  pair: [{ n: 1 }, { n: 2 }],
  either: { b: 'b' },
  kind: { kind: 'y', y: { n: 1 } },
  maybe: { n: 1 },
  none: { n: 1 },
  usual: { n: 1 },
  early: { n: 1 },
  fixed: { n: 1 },
  both: { p: { n: 1 }, q: { n: 1 } },
  piped: { n: 1 },
  later: { n: 1 },
}

/** The value with one more key in every object of it, but for records, whose keys are all known. */
const widened = (some: unknown, name = ''): unknown => {
  if (Array.isArray(some)) return some.map((each) => widened(each))
  if (typeof some !== 'object' || some === null) return some
  const inside = Object.entries(some).map(([key, each]) => [key, widened(each, key)])
  return { ...Object.fromEntries(inside), ...(name !== 'byName' && { added: 'by a newer server' }) }
}

test('keys that a newer server added are left out wherever they are, and the strict schema stays strict', () => {
  const wide = widened(value)
  const read = tolerant(whole).parse(wide)
  expect(read).toEqual({ ...whole.parse(value), piped: { m: 1 } })
  expect(whole.safeParse(wide).success).toBe(false)
})

test('what is left out keeps its default', () => {
  const { usual, early, maybe, ...rest } = value
  expect(tolerant(whole).parse(rest)).toMatchObject({ usual: { n: 7 }, early: { n: 8 } })
})

test('known keys are checked as before', () => {
  const refused = [
    { list: [{ n: 'one' }] },
    { byName: { one: {} } },
    { kind: { kind: 'z' } },
    { kind: { kind: 'x', y: { n: 1 } } },
    { either: { c: 'c' } },
    { none: undefined },
  ]
  for (const change of refused) expect(tolerant(whole).safeParse({ ...value, ...change }).success).toBe(false)
})

test('checks of an object hold, and loose objects stay loose', () => {
  const shape = z
    .strictObject({ low: z.int(), high: z.int() })
    .refine(({ low, high }) => low <= high, 'expected low <= high')
  expect(tolerant(shape).safeParse({ low: 2, high: 1, added: 1 }).error?.issues[0]?.message).toBe(
    'expected low <= high',
  )
  expect(tolerant(z.looseObject({ a: inner })).parse({ a: { n: 1, b: 1 }, c: 2 })).toEqual({ a: { n: 1 }, c: 2 })
})

test('a schema that is to stay exact refuses unknown keys where the rest does not', () => {
  const spec = z.strictObject({ kind: z.string() })
  const order = tolerant(z.strictObject({ spec, inputs: z.array(inner) }), { exact: [spec] })
  expect(order.parse({ spec: { kind: 'a' }, inputs: [{ n: 1, m: 1 }], added: 1 })).toEqual({
    spec: { kind: 'a' },
    inputs: [{ n: 1 }],
  })
  expect(order.safeParse({ spec: { kind: 'a', added: 1 }, inputs: [] }).success).toBe(false)
})

test('a schema that contains itself is walked once', () => {
  type Tree = { n: number; under: Tree[] }
  const tree: z.ZodType<Tree> = z.strictObject({ n: z.int(), under: z.array(z.lazy(() => tree)) })
  expect(tolerant(tree).parse({ n: 1, a: 1, under: [{ n: 2, b: 1, under: [{ n: 3, c: 1, under: [] }] }] })).toEqual({
    n: 1,
    under: [{ n: 2, under: [{ n: 3, under: [] }] }],
  })
})

test('whatever the strict schema accepts, the tolerant one reads alike', () => {
  const shape = z.strictObject({ a: z.array(inner), b: z.record(z.string(), inner.nullable()), c: inner.optional() })
  const one = fc.record({ n: fc.integer() })
  const values = fc.record(
    { a: fc.array(one), b: fc.dictionary(fc.string(), fc.option(one)), c: one },
    { requiredKeys: ['a', 'b'] },
  )
  const loose = tolerant(shape)
  fc.assert(
    fc.property(values, (some) => {
      expect(loose.parse(some)).toEqual(shape.parse(some))
    }),
  )
})
