/** Enlarging and shrinking of maps. */
import type { Inference } from '../geometry.ts'
import { resizedAxes } from '../resize.ts'

export const Resize: Inference = (context) => [
  { type: context.x[0].type, shape: resizedAxes(context).map(({ to }) => to) },
]
