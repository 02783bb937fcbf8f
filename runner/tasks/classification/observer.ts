/** What a classifier answers on D_f, D_r and the test set: the evidence of its weights, at the end of a run or along the way. */
import { forgottenClasses } from '../../../schema/parts/request.ts'
import { createExecutor } from '../../engine/nn/executor.ts'
import { extract } from '../../engine/nn/extract.ts'
import type { Network } from '../../engine/nn/network.ts'
import type { Tensor } from '../../engine/onnx/tensor.ts'
import { labelsOf } from '../../formats/labels.ts'
import type { Dataset, Split } from '../../science/dataset.ts'
import type { Evidence } from '../../science/tasks/classification/evidence/evidence.ts'
import type { StageContext } from '../../stages/stage.ts'
import type { Observed, Observer } from '../../stages/task.ts'

/** Images in one batch; it does not change the answers. */
const BATCH = 250

export interface ClassifierObserver extends Observer {
  evidence(state: ReadonlyMap<string, Tensor>): Promise<Evidence>
}

/** Asks about all of them. It computes by itself, beside a trainer's programs. */
export function observerOf(
  network: Network,
  { train, test, classes }: Dataset,
  { split: { forget, retain }, request }: Observed,
  { threads, provider, signal, onProgress }: Pick<StageContext, 'threads' | 'provider' | 'signal' | 'onProgress'>,
): ClassifierObserver {
  const executor = createExecutor({ threads, provider, signal })
  const gone = forgottenClasses(request)
  return {
    async evidence(state) {
      const ask = async ({ images, labels }: Split, items: Int32Array, phase: string) => ({
        logits: (
          await extract({
            ...{ network, state, images, items, phase, executor, threads, signal, onProgress },
            features: false,
            batch: BATCH,
          })
        ).logits,
        labels: labelsOf(labels, items),
      })
      return {
        classes: classes.length,
        forget: await ask(train, forget, 'answers on D_f'),
        retain: await ask(train, retain, 'answers on D_r'),
        test: await ask(test, Int32Array.from(test.labels.keys()), 'answers on the test set'),
        forgottenClass: gone.length === 1 ? gone[0]! : null,
        ...(gone.length > 1 && { forgottenClasses: gone }),
      }
    },
    compileSeconds: executor.compileSeconds,
    release: executor.release,
  }
}
