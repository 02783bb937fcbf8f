/** What a benchmark of each task can name as its model, as data: a server knows these without the engine. */
import type { z } from 'zod'
import * as denoisers from '../denoisers/index.ts'
import * as models from '../models/index.ts'

/** By task, then by id. */
export const architectures: Readonly<Record<string, Readonly<Record<string, { params: z.ZodType }>>>> = {
  classification: models,
  generation: denoisers,
}
