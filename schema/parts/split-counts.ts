/** How many examples D, D_f and D_r have: what follows from a request alone where every class has as many. */
import type { ForgetRequest } from './recipe.ts'
import { drawnOf, forgottenClasses } from './request.ts'

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
  const forget = forgetCount(request, { perClass, all })
  return { all, forget, retain: all - forget }
}

function forgetCount(request: ForgetRequest, { perClass, all }: { perClass: number; all: number }): number {
  if (request.kind === 'items') return request.count
  if (request.kind === 'random') return drawnOf(request, all)
  return request.kind === 'part' ? drawnOf(request, perClass) : perClass * forgottenClasses(request).length
}
