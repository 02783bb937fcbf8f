/** Path parameters that routes share. */
import { z } from 'zod'
import { slug } from '../../schema/parts/recipe.ts'
import { stageKey } from '../../schema/stage.ts'

export const byKey = z.strictObject({ key: stageKey })
export const bySlug = z.strictObject({ slug })
export const byId = z.strictObject({ id: z.string().min(1).max(120) })
