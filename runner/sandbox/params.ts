/** Parameters of a method of one file: described as data, since its file imports nothing, and made into the schema that checks them. */
import { z } from 'zod'
import { acting, actingWith } from '../science/acting.ts'
import { schemaOf } from '../science/parameters.ts'

const common = {
  about: z.string().max(400).optional(),
  /** The values of other parameters beside which it acts. */
  actsWith: z.record(z.string(), z.array(z.union([z.string(), z.number()])).min(1)).optional(),
}
const bounds = {
  min: z.number().optional(),
  max: z.number().optional(),
  /** More than. */
  above: z.number().optional(),
  /** Less than. */
  below: z.number().optional(),
}
const description = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('number'), default: z.number(), ...bounds, ...common }),
  z.strictObject({ type: z.literal('integer'), default: z.int(), ...bounds, ...common }),
  z.strictObject({ type: z.literal('boolean'), default: z.boolean(), ...common }),
  z.strictObject({
    type: z.literal('choice'),
    of: z.array(z.string().min(1).max(40)).min(1).max(40),
    default: z.string(),
    ...common,
  }),
])
type Description = z.infer<typeof description>

const NAME = /^[a-z][a-zA-Z0-9]{0,39}$/

export const descriptions = z
  .record(z.string().regex(NAME, 'expected a name such as learningRate'), description)
  .check(({ value, issues }) => {
    for (const [name, each] of Object.entries(value)) {
      const { error } = fieldOf(each).safeParse(each.default)
      if (error)
        issues.push({ code: 'custom', input: each, path: [name, 'default'], message: error.issues[0]!.message })
    }
  })
export type Descriptions = z.infer<typeof descriptions>

function fieldOf(described: Description): z.ZodType {
  switch (described.type) {
    case 'boolean':
      return z.boolean()
    case 'choice':
      return z.enum(described.of)
    default: {
      const { min, max, above, below } = described
      const checks = [
        min !== undefined && z.gte(min),
        max !== undefined && z.lte(max),
        above !== undefined && z.gt(above),
        below !== undefined && z.lt(below),
      ].filter((check) => check !== false)
      return (described.type === 'integer' ? z.int() : z.number()).check(...checks)
    }
  }
}

/** The schema that they say. */
export function paramsOf(described: Descriptions): z.ZodType<Record<string, unknown>> {
  const fields = Object.entries(described).map(([name, each]) => {
    const field = fieldOf(each).default(each.default as never)
    const told = each.about === undefined ? field : field.describe(each.about)
    return [name, each.actsWith ? actingWith(told as z.ZodDefault<z.ZodType>, each.actsWith) : told] as const
  })
  return acting(z.strictObject(Object.fromEntries(fields))) as z.ZodType<Record<string, unknown>>
}

interface Property {
  type: 'number' | 'integer'
  default: number
  description?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
}

/** Numbers that built-in methods take, as a file would describe them. */
export function describedBy(params: z.ZodType): Descriptions {
  const properties = Object.entries(schemaOf(params).properties as Record<string, Property>)
  return descriptions.parse(
    Object.fromEntries(
      properties.map(([name, { type, description: about, ...rest }]) => [
        name,
        {
          ...{ type, about, default: rest.default },
          ...{ min: rest.minimum, max: rest.maximum, above: rest.exclusiveMinimum, below: rest.exclusiveMaximum },
        },
      ]),
    ),
  )
}
