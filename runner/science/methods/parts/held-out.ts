/** Training images that the original never saw: those that the benchmark holds out. */
import { type Context, type Setting, UnfitError } from '../../method.ts'
import type { ClassifierTypes } from '../../tasks/classification/vocabulary.ts'

const none = (instead: string) =>
  `expected images that the original was not trained on, and this benchmark holds out none; set training.holdOut, or ${instead}`

/** Where a benchmark holds out none, what to do instead of asking for them. */
export const heldOutFault = ({ training }: Pick<Setting, 'training'>, instead: string): string | null =>
  training.holdOut > 0 ? null : none(instead)

/** Neither in D_f nor in D_r, in dataset order. Throws UnfitError where there are none, with what to do instead. */
export function heldOut(
  { forget, retain, labels }: Pick<Context<ClassifierTypes, unknown>, 'forget' | 'retain' | 'labels'>,
  instead: string,
): Int32Array {
  const seen = new Set([...forget, ...retain])
  const found = Int32Array.from(Array.from(labels).keys()).filter((item) => !seen.has(item))
  if (found.length > 0) return found
  throw new UnfitError(none(instead))
}
