/** What follows from a forget request alone. */
import { z } from 'zod'
import type { ForgetRequest } from './recipe.ts'

/** What a benchmark asks of unlearning. `untraining`: to undo the influence of samples, whose measure is the model that never had
 *  them. `unlearning`: to remove a behaviour, such as the knowledge of a class, of which nothing may be left. */
export const aim = z.enum(['untraining', 'unlearning'])
export type Aim = z.infer<typeof aim>

/** The classes of which nothing is to be left, by label; those of which other images stay are not among them. */
export function forgottenClasses(request: ForgetRequest): readonly number[] {
  if (request.kind === 'class') return [request.label]
  return request.kind === 'classes' ? request.labels : []
}

/** Of a benchmark that does not say: whole classes are a behaviour, anything else is samples. */
export const usualAim = (request: ForgetRequest): Aim =>
  forgottenClasses(request).length > 0 ? 'unlearning' : 'untraining'

/** Without the place of a file: what its hashes say. */
export function requestContent(request: ForgetRequest): ForgetRequest {
  if (request.kind !== 'items') return request
  const { path: _, ...content } = request
  return content
}

/** Whether a split is drawn, by what is held out or by the request; null forgets nothing. */
export const isDrawn = (request: ForgetRequest | null, { holdOut }: { holdOut: number }): boolean =>
  holdOut > 0 || request?.kind === 'random' || request?.kind === 'part'

/** How many a request draws of so many. */
export const drawnOf = (
  { fraction, count }: { fraction?: number | undefined; count?: number | undefined },
  of: number,
) => count ?? Math.floor(fraction! * of)
