/** The evaluate stage of image generation: what a judge and an extractor say of samples becomes evidence; metrics follow from
 *  it. */
import type { StageOf } from '../../../schema/stage.ts'
import { taskNamed } from '../../../schema/task.ts'
import { evaluatePart } from '../../../schema/tasks/generation.ts'
import { loadInceptionWeights } from '../../data/files/inception.ts'
import { inceptionV3 } from '../../engine/nn/extractors/inception-v3.ts'
import { onnxruntimeVersion } from '../../engine/onnx/session.ts'
import { readSafetensors } from '../../formats/safetensors.ts'
import { deviceOf } from '../../machine/device.ts'
import { EVIDENCE } from '../../science/task.ts'
import { SAMPLES } from '../../science/tasks/generation/evidence/asked.ts'
import { encodeGenerationEvidence, REFERENCE } from '../../science/tasks/generation/evidence/codec.ts'
import { WEIGHTS } from '../../science/weights.ts'
import { checkRequest } from '../../stages/check-classes.ts'
import { startClock } from '../../stages/clock.ts'
import { ConfigurationError } from '../../stages/configuration-error.ts'
import type { LoadedData } from '../../stages/data.ts'
import { InputError, readingInput } from '../../stages/input-error.ts'
import type { StageContext, StageOutcome } from '../../stages/stage.ts'
import { loadWeights } from '../../stages/weights.ts'
import { type MadeOnce, makeOnce } from '../../store/once.ts'
import { networkFor } from '../classification/network.ts'
import { classifierExtractor, type ImageExtractor, inceptionExtractor } from './extractor.ts'
import { measureGenerated, measureRealImages, REAL_IMAGES, testAccuracy } from './look.ts'
import { decodeSamples } from './sample.ts'

export async function measure(spec: StageOf<'evaluate'>, context: StageContext): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress } = context
  const total = startClock()
  if (spec.request.kind !== 'class')
    throw new ConfigurationError(`image generation forgets a class; the request is ${spec.request.kind}`)
  const forgottenClass = spec.request.label
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { dataset } = loaded
  checkRequest(spec.request, dataset)
  const network = networkFor(spec.model, loaded, 'task.judge.model')
  const trained = await context.inputs(spec.inputs.judge!)
  const state = await loadWeights(store, network, trained, { what: 'the judge' })
  const judge = classifierExtractor({ model: spec.model.id, key: spec.inputs.judge!, network, state })
  const extractor = evaluatePart.parse(spec.part).extractor === 'judge' ? judge : await inceptionFor(loaded, context)
  const samples = (await context.inputs(spec.inputs.samples!))[SAMPLES]
  if (!samples) throw new InputError(`the input stage has no ${SAMPLES}`)
  const { images, labels } = await readingInput(SAMPLES, async () => decodeSamples(await store.get(samples.sha256)))
  const setUp = total()

  const options = { threads, provider, signal, onProgress }
  const accuracy = await testAccuracy(judge, dataset.test, options)
  log(`the judge ${spec.model.id} is right about ${accuracy.toFixed(2)}% of the test set`)
  const weights = extractor === judge ? trained[WEIGHTS]!.sha256 : extractor.weights
  const { ref, bytes, waited } = await realImages(extractor, weights, loaded, context)
  const features = readSafetensors(bytes).tensors.get('features')!.data as Float32Array
  const real = { features, labels: dataset.train.labels, sha256: ref.sha256 }
  const asked = { images, labels, classes: dataset.classes.length, forgottenClass }
  const evidence = await measureGenerated(asked, { judge, extractor, accuracy, real }, options)
  const artifacts = { [EVIDENCE]: await store.put(encodeGenerationEvidence(evidence)), [REFERENCE]: ref }
  return { artifacts, seconds: { setUp, evaluate: total() - setUp - waited } }
}

/** The file of real images, the same for all runs that look at them alike; `weights` is the SHA-256 of the extractor's. */
async function realImages(
  extractor: ImageExtractor,
  weights: string,
  { dataset }: LoadedData,
  { store, threads, provider, signal, log, onProgress }: StageContext,
): Promise<MadeOnce> {
  const { id, weights: origin, preprocessing, dimension, batch } = extractor
  const identity = {
    kind: 'real images',
    engine: taskNamed('generation').engine,
    onnxruntime: onnxruntimeVersion(),
    device: await deviceOf({ threads, provider }),
    dataset: dataset.digest,
    images: 'train',
    extractor: { id, origin, weights, preprocessing, dimension, batch },
  }
  const made = await makeOnce(
    store,
    identity,
    () => measureRealImages(extractor, dataset.train, { threads, provider, signal, onProgress }),
    {
      signal,
      onWait: () => log('waiting for another process that computes the same features of real images'),
      onDamage: () => log('the features of real images from before are missing or damaged; computing them anew'),
    },
  )
  if (made.reused) {
    const { count } = dataset.train
    log(`reused the features of ${count} real images, which were computed before`)
    onProgress({ phase: REAL_IMAGES, done: count, total: count, unit: 'reused images' })
  }
  return made
}

async function inceptionFor(
  { dataset }: LoadedData,
  { places, signal, onProgress }: StageContext,
): Promise<ImageExtractor> {
  if (!places) throw new Error('the place of the weights of Inception-v3 is not known to this stage')
  const inputShape = [dataset.channels, dataset.height, dataset.width]
  const weights = await loadInceptionWeights(inceptionV3(inputShape), { ...places, signal, onProgress })
  return inceptionExtractor({ inputShape, ...weights })
}
