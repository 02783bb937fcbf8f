/** The cases of every decomposition, by its name. */
import { activation } from './activation.ts'
import { attention } from './attention.ts'
import type { Case } from './case.ts'
import { layout } from './layout.ts'
import { normalization } from './normalization.ts'
import { recurrent } from './recurrent.ts'
import { sampling } from './sampling.ts'

export type { Case } from './case.ts'

export const cases: Record<string, Case[]> = {
  ...activation,
  ...attention,
  ...layout,
  ...normalization,
  ...recurrent,
  ...sampling,
}
