/** Parameters as people read them, from the schema that checks them. */
import { z } from 'zod'
import { paramText, readingsOf } from '../words/command.ts'
import type { ActsWith } from './acting.ts'

export interface Parameter {
  name: string
  /** Such as `number | null` or `hard | gradient`. */
  type: string
  /** Such as `more than 0, at most 1`; empty where everything is let pass. */
  range: string
  /** Undefined where it must be given. */
  default: unknown
  /** Its sentence, where it has one. */
  description?: string
}

interface Property {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  description?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  anyOf?: Property[]
  items?: Property
  actsWith?: ActsWith
}

export const schemaOf = (params: z.ZodType): Record<string, unknown> => {
  const { $schema, ...schema } = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' })
  return schema
}

export const parametersOf = (params: z.ZodType): Parameter[] => parametersIn(schemaOf(params))

/** From the JSON Schema of all of them. */
export function parametersIn({ properties = {} }: { properties?: unknown }): Parameter[] {
  return Object.entries(properties as Record<string, Property>).map(([name, property]) => {
    const own = property.description ?? property.anyOf?.find(({ description }) => description)?.description
    const { default: value, actsWith } = property
    const description = [own, actsWith && onlyWhere(actsWith)].filter(Boolean).join(' ')
    return {
      name,
      type: typeOf(property),
      range: rangeOf(property),
      default: value,
      ...(description && { description }),
    }
  })
}

/** A word as the value that the schema takes for this parameter; where it takes none, the likeliest, for the schema to refuse in its
 *  own words. */
export function readValue(params: z.ZodType, name: string, text: string): { value: unknown; fits: boolean } {
  const readings = readingsOf(text)
  const fitting = readings.findIndex(
    (value) => !params.safeParse({ [name]: value }).error?.issues.some(({ path }) => path[0] === name),
  )
  return { value: readings[Math.max(0, fitting)], fits: fitting >= 0 }
}

const onlyWhere = (actsWith: ActsWith) =>
  `Only where ${Object.entries(actsWith)
    .map(([other, wanted]) => `\`${other}\` is ${wanted.map((value) => `\`${value}\``).join(' or ')}`)
    .join(' and ')}.`

function typeOf({ type, enum: values, const: only, anyOf, items }: Property): string {
  if (values) return values.map(paramText).join(' | ')
  if (only !== undefined) return paramText(only)
  if (anyOf) return anyOf.map(typeOf).join(' | ')
  if (type === 'array') return `list of ${items ? typeOf(items) : 'any value'}`
  return type === undefined ? 'any value' : [type].flat().join(' | ')
}

/** Bounds that mean something: JSON Schema also names the ends of the safe integers. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, anyOf = [] }: Property): string {
  const real = (bound: number | undefined) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER
  return [
    real(minimum) && `at least ${minimum}`,
    real(exclusiveMinimum) && `more than ${exclusiveMinimum}`,
    real(maximum) && `at most ${maximum}`,
    real(exclusiveMaximum) && `less than ${exclusiveMaximum}`,
    ...anyOf.map(rangeOf),
  ]
    .filter(Boolean)
    .join(', ')
}
