/** Tries on a model what its stage asks for beside answers. */
import { EXPORTED } from '../../../schema/parts/model-file.ts'
import { type AskedProbes, probesOf } from '../../../schema/parts/probes.ts'
import type { ModelRef } from '../../../schema/parts/recipe.ts'
import { forgottenClasses } from '../../../schema/parts/request.ts'
import type { StageOf } from '../../../schema/parts/stage-shape.ts'
import { findModelFile } from '../../data/files/model-file.ts'
import { featureCount } from '../../engine/nn/extract.ts'
import type { Network } from '../../engine/nn/network.ts'
import type { Tensor } from '../../engine/onnx/tensor.ts'
import type { Dataset, Split } from '../../science/dataset.ts'
import { answersWithout, countCorrect, firstOf } from '../../science/tasks/classification/evidence/answers.ts'
import type { Answers } from '../../science/tasks/classification/evidence/evidence.ts'
import type { Probed } from '../../science/tasks/classification/evidence/probed.ts'
import { ConfigurationError } from '../../stages/configuration-error.ts'
import type { StageContext } from '../../stages/stage.ts'
import { networkFrom } from './exported.ts'
import { type FeaturesOf, probeClasses, probeMembership } from './linear-probe.ts'
import { relearn } from './relearn.ts'

interface Subject {
  network: Network
  state: ReadonlyMap<string, Tensor>
  dataset: Dataset
  forget: Int32Array
  retain: Int32Array
  /** What it answered. */
  answers: Record<'forget' | 'test', Answers>
  ask(of: Split, items: Int32Array, phase: string, state: ReadonlyMap<string, Tensor>): Promise<Answers>
  featuresOf: FeaturesOf
}

/** Undefined where nothing is asked for. */
export async function probe(
  spec: StageOf<'evaluate'>,
  { network, state, dataset, forget, retain, answers, ask, featuresOf }: Subject,
  context: StageContext,
): Promise<Probed | undefined> {
  const { relearn: again, linear } = probesOf(spec)
  if (!again && !linear) return undefined
  const { seed, request } = spec
  const gone = forgottenClasses(request)
  const { train, test } = dataset
  const probed: Probed = {}
  if (again) {
    const counted = Int32Array.from(test.labels.keys()).filter((item) => !gone.includes(test.labels[item]!))
    const first = counted.subarray(0, forget.length)
    probed.curve = await relearn(
      { network, state, train, forget, retain, seed },
      again,
      {
        before: [
          countCorrect(answers.forget),
          countCorrect(firstOf(answersWithout(answers.test, gone), forget.length)),
        ],
        look: async (now) => [
          countCorrect(await ask(train, forget, 'answers on D_f', now)),
          countCorrect(await ask(test, first, 'answers on the test set', now)),
        ],
      },
      context,
    )
  }
  if (!linear) return probed
  const subject = { featuresOf, train, test, classes: dataset.classes.length, seed }
  if (gone.length > 0) {
    const items = Int32Array.from([...forget, ...retain]).sort()
    return { ...probed, logits: await probeClasses(subject, { ...linear, items }) }
  }
  return { ...probed, membership: await probeMembership(subject, { ...linear, forget }) }
}

/** Throws ConfigurationError where the model is a file without features that a linear probe could look at. */
export async function checkProbes(
  { model, task }: { model: ModelRef; task: Record<string, unknown> },
  places: Parameters<typeof findModelFile>[1],
): Promise<void> {
  const asked = task.probes as AskedProbes | undefined
  if (!asked?.linear || model.id !== EXPORTED) return
  const network = networkFrom(await findModelFile(model, places), model)
  try {
    featureCount(network)
  } catch (error) {
    throw new ConfigurationError(`task.probes.linear: ${(error as Error).message}; leave it out`)
  }
}
