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
  /** JSON Schema of its parameters, defaults included: for classifiers, and for models that generate images. Null where it has
   *  nothing to offer. */
  params: z.record(z.string(), z.unknown()).nullable(),
  generationParams: z.record(z.string(), z.unknown()).nullable(),
})
export type Method = z.infer<typeof method>
