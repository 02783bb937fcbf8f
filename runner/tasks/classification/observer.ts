/** What a classifier answers on D_f, D_r and the test set: the evidence of its weights, at the end of a run or along the way. */
import { forgottenClasses } from '../../../schema/parts/request.ts'
import { createExecutor } from '../../engine/nn/executor.ts'
import { extract } from '../../engine/nn/extract.ts'
import type { Network } from '../../engine/nn/network.ts'
import type { Tensor } from '../../engine/onnx/tensor.ts'
import { labelsOf } from '../../formats/labels.ts'
import type { Dataset, Split } from '../../science/dataset.ts'
import type { Answers, Evidence } from '../../science/tasks/classification/evidence/evidence.ts'
import type { StageContext } from '../../stages/stage.ts'
import type { Observed, Observer } from '../../stages/task.ts'
import type { FeaturesOf } from './linear-probe.ts'

/** Images in one batch; it does not change the answers. */
const BATCH = 250

type State = ReadonlyMap<string, Tensor>

export interface ClassifierObserver extends Observer {
  evidence(state: State): Promise<Evidence>
  ask(of: Split, items: Int32Array, phase: string, state: State): Promise<Answers>
  /** Penultimate ones, [items, features]. */
  featuresOf(state: State): FeaturesOf
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
  const look = (state: State, { images }: Split, asked: { items: Int32Array; phase: string; features: boolean }) =>
    extract({ ...asked, network, state, images, executor, threads, signal, onProgress, batch: BATCH })
  const ask: ClassifierObserver['ask'] = async (of, items, phase, state) => ({
    logits: (await look(state, of, { items, phase, features: false })).logits,
    labels: labelsOf(of.labels, items),
  })
  return {
    ask,
    featuresOf: (state) => async (of, items) =>
      (await look(state, of, { items, phase: 'features', features: true })).features,
    async evidence(state) {
      return {
        classes: classes.length,
        forget: await ask(train, forget, 'answers on D_f', state),
        retain: await ask(train, retain, 'answers on D_r', state),
        test: await ask(test, Int32Array.from(test.labels.keys()), 'answers on the test set', state),
        forgottenClass: gone.length === 1 ? gone[0]! : null,
        ...(gone.length > 1 && { forgottenClasses: gone }),
      }
    },
    compileSeconds: executor.compileSeconds,
    release: executor.release,
  }
}
