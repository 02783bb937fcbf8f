/** Query parameters that lists share. */
import { z } from 'zod'
import { slug } from '../parts/recipe.ts'

export const listQuery = z.strictObject({
  benchmark: slug.optional(),
  method: slug.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  /** Only what is older than this id. */
  before: z.string().max(40).optional(),
})
export type ListQuery = z.infer<typeof listQuery>
