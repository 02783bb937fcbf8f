/** How answers are read. Both sides share one schema of each message, and the server holds requests to it strictly: a field it
 *  does not know is refused by its name. Whoever reads an answer uses `tolerant` of the same schema, which checks every field
 *  that it knows and leaves out those that a newer server added. */
import { z } from 'zod'

/** The same schema with unknown keys left out, however deep, instead of refused. Schemas in `exact` stay as they are, for values
 *  whose every key counts, such as what a hash is taken over. */
export function tolerant<Shape extends z.ZodType>(schema: Shape, { exact = [] }: { exact?: z.ZodType[] } = {}): Shape {
  const made = new Map<z.core.$ZodType, z.core.$ZodType>(exact.map((one) => [one, one]))
  const loosened = (one: z.core.$ZodType): z.core.$ZodType => {
    const known = made.get(one)
    if (known) return known
    const loose = loosenedOnce(one, loosened)
    made.set(one, loose)
    return loose
  }
  return loosened(schema) as Shape
}

type Walk = (schema: z.core.$ZodType) => z.core.$ZodType

/** A copy whose inner schemas are walked; checks, defaults and descriptions stay. Leaves are not copied. */
function loosenedOnce(schema: z.core.$ZodType, walk: Walk): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod
  const copy = <Def extends z.core.$ZodTypeDef>(changed: Partial<Def>) =>
    z.core.util.clone(schema, { ...def, ...changed } as z.core.$ZodTypeDef)
  switch (def.type) {
    case 'object': {
      const shape = Object.fromEntries(Object.entries(def.shape).map(([key, inner]) => [key, walk(inner)]))
      const isStrict = def.catchall?._zod.def.type === 'never'
      const catchall = def.catchall && !isStrict ? walk(def.catchall) : undefined
      return copy<z.core.$ZodObjectDef>({ shape, catchall })
    }
    case 'array':
      return copy<z.core.$ZodArrayDef>({ element: walk(def.element) })
    case 'record':
      return copy<z.core.$ZodRecordDef>({ valueType: walk(def.valueType) })
    case 'tuple':
      return copy<z.core.$ZodTupleDef>({ items: def.items.map(walk), rest: def.rest && walk(def.rest) })
    // Also discriminated unions.
    case 'union':
      return copy<z.core.$ZodUnionDef>({ options: def.options.map(walk) })
    case 'intersection':
      return copy<z.core.$ZodIntersectionDef>({ left: walk(def.left), right: walk(def.right) })
    case 'pipe':
      return copy<z.core.$ZodPipeDef>({ in: walk(def.in), out: walk(def.out) })
    case 'lazy':
      return copy<z.core.$ZodLazyDef>({ getter: () => walk(def.getter()) })
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return copy<z.core.$ZodOptionalDef>({ innerType: walk(def.innerType) })
    default:
      return schema
  }
}
