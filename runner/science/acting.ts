/** Parameters that act only with certain values of others. Where they don't act they are refused, so that two rows of a board never
 *  differ by a parameter that changes nothing. */
import { z } from 'zod'

/** For each of the other parameters, the values with which the parameter acts. */
export type ActsWith = Readonly<Record<string, readonly (string | number)[]>>

/** Marks the refusal of a parameter that doesn't act. */
const IDLE = { idle: true } as const

/** A parameter that acts only with those values of others; its default is filled in only there. Its type says that it is there:
 *  a method reads it only where it acts. */
export function actingWith<T>(field: z.ZodDefault<z.ZodType<T>>, actsWith: ActsWith): z.ZodType<T> {
  const { description } = z.globalRegistry.get(field) ?? {}
  const { defaultValue } = field.def
  return field.unwrap().optional().meta({ description, default: defaultValue, actsWith }) as unknown as z.ZodType<T>
}

const factsOf = (field: z.ZodType) => (z.globalRegistry.get(field) ?? {}) as { default?: unknown; actsWith?: ActsWith }

/** Parameters some of which are `actingWith` others. */
export function acting<Shape extends z.ZodRawShape>(
  params: z.ZodObject<Shape>,
): z.ZodType<z.infer<z.ZodObject<Shape>>> {
  const fields = Object.entries(params.shape as unknown as Record<string, z.ZodType>).flatMap(([name, field]) => {
    const { actsWith, ...facts } = factsOf(field)
    return actsWith ? [{ name, actsWith, usual: facts.default }] : []
  })
  const missing = (values: Record<string, unknown>, actsWith: ActsWith) =>
    Object.entries(actsWith).find(([other, wanted]) => !wanted.includes(values[other] as string | number))
  return params
    .superRefine((values: Record<string, unknown>, context) => {
      for (const { name, actsWith } of fields) {
        const [other, wanted] = missing(values, actsWith) ?? []
        if (other === undefined || values[name] === undefined) continue
        const message = `expected no value where ${other} is ${values[other]}: it acts only where that is ${wanted!.join(' or ')}`
        context.addIssue({ code: 'custom', path: [name], message, params: IDLE })
      }
    })
    .transform((values: Record<string, unknown>) => {
      const usual = fields.filter(({ name, actsWith }) => values[name] === undefined && !missing(values, actsWith))
      return { ...values, ...Object.fromEntries(usual.map(({ name, usual }) => [name, usual])) }
    }) as unknown as z.ZodType<z.infer<z.ZodObject<Shape>>>
}

/** Names of the parameters that were refused because they don't act. */
export const idleIn = (error: z.core.$ZodError | undefined): string[] =>
  (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'custom' && issue.params === IDLE ? [String(issue.path[0])] : [],
  )
