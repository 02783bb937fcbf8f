/** Parameters that act only with certain values of others. Where they don't act they are refused, so that two rows of a board never
 *  differ by a parameter that changes nothing. */
import { z } from 'zod'

/** For each of the other parameters, the values with which the parameter acts. */
export type ActsWith = Readonly<Record<string, readonly (string | number)[]>>

/** A parameter that came when results were there already, whose default does what was done before: there it is left out of what is
 *  parsed, so that the stages of those results keep their keys. */
export function addedLater<T>(field: z.ZodDefault<z.ZodType<T>>): z.ZodType<T | undefined> {
  const { description } = z.globalRegistry.get(field) ?? {}
  const { defaultValue } = field.def
  return field.unwrap().optional().meta({ description, default: defaultValue, leftOut: true })
}

/** Marks the refusal of a parameter that doesn't act. */
const IDLE = { idle: true } as const

/** A parameter that acts only with those values of others; its default is filled in only there. Its type says that it is there:
 *  a method reads it only where it acts. */
export function actingWith<T>(field: z.ZodDefault<z.ZodType<T>>, actsWith: ActsWith): z.ZodType<T> {
  const { description } = z.globalRegistry.get(field) ?? {}
  const { defaultValue } = field.def
  return field.unwrap().optional().meta({ description, default: defaultValue, actsWith }) as unknown as z.ZodType<T>
}

const factsOf = (field: z.ZodType) =>
  (z.globalRegistry.get(field) ?? {}) as { default?: unknown; actsWith?: ActsWith; leftOut?: true }

/** Parameters some of which are `actingWith` others, or `addedLater`. */
export function acting<Shape extends z.ZodRawShape>(
  params: z.ZodObject<Shape>,
): z.ZodType<z.infer<z.ZodObject<Shape>>> {
  const all = Object.entries(params.shape as unknown as Record<string, z.ZodType>).map(([name, field]) => {
    const { actsWith, leftOut, default: usual } = factsOf(field)
    return { name, actsWith, leftOut, usual }
  })
  const fields = all.flatMap(({ name, actsWith, usual }) => (actsWith ? [{ name, actsWith, usual }] : []))
  const later = all.filter(({ leftOut }) => leftOut)
  const valueUsed = (values: Record<string, unknown>, name: string) =>
    (values[name] ?? later.find((one) => one.name === name)?.usual) as string | number
  const missing = (values: Record<string, unknown>, actsWith: ActsWith) =>
    Object.entries(actsWith).find(([other, wanted]) => !wanted.includes(valueUsed(values, other)))
  return params
    .superRefine((values: Record<string, unknown>, context) => {
      for (const { name, actsWith } of fields) {
        const [other, wanted] = missing(values, actsWith) ?? []
        if (other === undefined || values[name] === undefined) continue
        const message = `expected no value where ${other} is ${valueUsed(values, other)}: it acts only where that is ${wanted!.join(' or ')}`
        context.addIssue({ code: 'custom', path: [name], message, params: IDLE })
      }
    })
    .transform((values: Record<string, unknown>) => {
      const usual = fields.filter(({ name, actsWith }) => values[name] === undefined && !missing(values, actsWith))
      const said = Object.entries(values).filter(
        ([name, value]) => !later.some((one) => one.name === name && one.usual === value),
      )
      return Object.fromEntries([...said, ...usual.map(({ name, usual }) => [name, usual] as const)])
    }) as unknown as z.ZodType<z.infer<z.ZodObject<Shape>>>
}

/** Names of the parameters that were refused because they don't act. */
export const idleIn = (error: z.core.$ZodError | undefined): string[] =>
  (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'custom' && issue.params === IDLE ? [String(issue.path[0])] : [],
  )
