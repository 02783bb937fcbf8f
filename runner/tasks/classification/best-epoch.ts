/** The epoch that answers best on images held out, whose weights a training ends with where its recipe says so. */
import type { Kept, Trainer } from '../../science/method.ts'
import type { ClassifierTypes } from '../../science/tasks/classification/vocabulary.ts'

/** Images in one batch; it does not change the answers. */
const BATCH = 250

export interface BestEpoch {
  /** Asks the model as it is after an epoch. */
  look(epoch: number): Promise<void>
  /** Puts the weights of the best epoch back, and says which it was. */
  restore(): Promise<string>
}

/** Of epochs that answer alike it is the first, as in SalUn's code. */
export function bestEpoch(
  trainer: Trainer<ClassifierTypes>,
  { items, labels }: { items: Int32Array; labels: ArrayLike<number> },
): BestEpoch {
  let best: { epoch: number; right: number; model: Kept } | null = null
  return {
    async look(epoch) {
      const answers = await trainer.evaluate({ items, batchSize: BATCH }, ({ logits, argMax }) => argMax(logits))
      const right = items.filter((item, i) => answers[i] === labels[item]).length
      if (!best) best = { epoch, right, model: trainer.keep() }
      else if (right > best.right) {
        best = { ...best, epoch, right }
        // In the same place: one model is kept, however often a better one comes.
        best.model.retake()
      }
    },
    async restore() {
      if (!best) throw new Error('expected an epoch to have been looked at, got none')
      await trainer.restore(best.model)
      const share = ((100 * best.right) / items.length).toFixed(2)
      return `kept the weights of epoch ${best.epoch}, with ${share}% right of ${items.length} images held out`
    },
  }
}
