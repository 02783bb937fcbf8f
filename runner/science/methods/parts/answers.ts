/** What a classifier answers, as methods ask it on the way. */
import type { Kept, Trainer } from '../../method.ts'
import type { ClassifierBatch, ClassifierTypes } from '../../tasks/classification/vocabulary.ts'

/** The class that each example of a batch is taken for, in order. */
export const answersTo = (trainer: Trainer<ClassifierTypes>, on: ClassifierBatch, of?: Kept): Promise<Float32Array> =>
  trainer.evaluate(on, ({ logitsOf, argMax }) => argMax(logitsOf({ of })))

/** Share of the items that are answered rightly. */
export async function accuracyOn(
  trainer: Trainer<ClassifierTypes>,
  { items, batchSize }: Pick<ClassifierBatch, 'items' | 'batchSize'>,
  labels: ArrayLike<number>,
  of?: Kept,
): Promise<number> {
  const answers = await answersTo(trainer, { items, batchSize }, of)
  return items.filter((item, i) => answers[i] === labels[item]).length / items.length
}
