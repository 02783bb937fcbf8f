/** How many examples D, D_f and D_r have: what follows from a request alone where every class has as many. */
import type { ForgetRequest } from './recipe.ts'

export interface SplitCounts {
  all: number
  forget: number
  retain: number
}

export function splitCounts(
  { train, classes }: { train: number; classes: number },
  { holdOut, request }: { holdOut: number; request: ForgetRequest },
): SplitCounts {
  const perClass = train / classes - Math.round((holdOut * train) / classes)
  const all = perClass * classes
  const forget = request.kind === 'class' ? perClass : Math.floor(request.fraction * all)
  return { all, forget, retain: all - forget }
}
