/** What a benchmark of each task can name as its model, as data: a server knows these without the engine. */
import type { DenoiserDefinition } from '../denoiser.ts'
import * as denoisers from '../denoisers/index.ts'
import type { ModelDefinition } from '../model.ts'
import { classifiers } from './classifiers.ts'

type Named = Pick<ModelDefinition | DenoiserDefinition, 'params'>

/** By task, then by id. */
export const architectures: Readonly<Record<string, Readonly<Record<string, Named>>>> = {
  classification: classifiers,
  generation: denoisers,
}
