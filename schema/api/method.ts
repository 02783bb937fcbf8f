/** What the API says about a method. */
import { z } from 'zod'
import { slug } from '../parts/recipe.ts'

export const method = z.strictObject({
  id: slug,
  title: z.string(),
  summary: z.string(),
  paper: z.strictObject({ title: z.string(), url: z.string() }).nullable(),
  version: z.int(),
  trainsOn: z.enum(['all', 'retain']).nullable(),
  /** By task: JSON Schema of its parameters, defaults included. Tasks for which it has nothing to offer are left out. */
  on: z.record(z.string(), z.record(z.string(), z.unknown())),
})
export type Method = z.infer<typeof method>
