/** The parameters a method takes, read from their JSON Schema. */
import type { Method } from '../../schema/api/method.ts'
import { Scroll } from './scroll.tsx'

interface Property {
  type?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  description?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  anyOf?: Property[]
}

function typeOf({ type, enum: values, const: only, anyOf }: Property): string {
  if (values) return values.map((value) => JSON.stringify(value)).join(' or ')
  if (only !== undefined) return JSON.stringify(only)
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  return type ?? 'any value'
}

/** Bounds that mean something: JSON Schema also names the ends of the safe integers. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Property): string {
  const real = (bound: number | undefined) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER
  return [
    real(minimum) && `at least ${minimum}`,
    real(exclusiveMinimum) && `more than ${exclusiveMinimum}`,
    real(maximum) && `at most ${maximum}`,
    real(exclusiveMaximum) && `less than ${exclusiveMaximum}`,
  ]
    .filter(Boolean)
    .join(', ')
}

export const ParamsTable = ({
  title,
  params,
  id,
  about,
}: {
  title: string
  params: NonNullable<Method['params']>
  id: string
  /** Tells apart what the parameters are for, where there are several such tables. */
  about?: string
}) => {
  const properties = Object.entries((params.properties ?? {}) as Record<string, Property>)
  if (properties.length === 0) return <p>{title} takes no parameters: it follows the benchmark's training recipe.</p>
  const described = properties.some(([, { description }]) => description)
  return (
    <Scroll labelledBy={id}>
      <table>
        <caption id={id}>
          {about ? `${about}: a` : 'A'} benchmark may preset other values at its scale; a submission's own values win
        </caption>
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col">Type</th>
            <th scope="col">Default</th>
            <th scope="col">Range</th>
            {described && <th scope="col">Meaning</th>}
          </tr>
        </thead>
        <tbody>
          {properties.map(([name, property]) => (
            <tr>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>{typeOf(property)}</td>
              <td>
                {property.default === undefined ? 'must be given' : <code>{JSON.stringify(property.default)}</code>}
              </td>
              <td>{rangeOf(property) || 'any'}</td>
              {described && <td>{property.description}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
