/** The cases of every gradient rule, by its name. */
import type { Case } from './case.ts'
import { activation } from './activation.ts'
import { convolution } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { einsums } from './einsum.ts'
import { indexing } from './indexing.ts'
import { linalg } from './linalg.ts'
import { movement } from './movement.ts'
import { normalization } from './normalization.ts'
import { pooling } from './pooling.ts'
import { rearrangement } from './rearrangement.ts'
import { reduction } from './reduction.ts'
import { shrinking } from './shrinking.ts'
import { trigonometry } from './trigonometry.ts'
import { resize } from './resize.ts'

export const cases: Record<string, Case[]> = {
  ...elementwise,
  ...activation,
  ...linalg,
  ...movement,
  ...indexing,
  ...reduction,
  ...resize,
  ...normalization,
  ...pooling,
  ...convolution,
  ...einsums,
  ...rearrangement,
  ...shrinking,
  ...trigonometry,
}
