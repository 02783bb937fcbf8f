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

/** How many rows a page looks at to find those that were asked for: it may hold fewer than `limit`, also none, and then `next`
 *  leads on. */
export const LOOKED_AT = 200
/** What lists say of it to their readers. */
export const PAGING =
  'Go on with `next` as `before` until it is null: a page looks at a part of all there is, and may hold fewer than `limit`, also none.'
