/** The evaluate stage of image generation: what a judge and an extractor say of samples becomes evidence; metrics follow. */
import { isMetric } from '../../../schema/benchmark.ts'
import type { StageResult } from '../../../schema/result.ts'
import { ENGINE_VERSION, type EvaluateSamplesStage } from '../../../schema/stage.ts'
import { loadInceptionWeights } from '../../data/files/inception.ts'
import { inceptionV3 } from '../../engine/nn/extractors/inception-v3.ts'
import { onnxruntimeVersion } from '../../engine/onnx/session.ts'
import { deviceOf } from '../../machine/device.ts'
import { EVIDENCE } from '../../pipeline/evaluate.ts'
import { MetricError } from '../../science/metric.ts'
import * as metrics from '../../science/metrics/generation/index.ts'
import type { GenerationEvidence, GenerationMetricDefinition } from '../../science/tasks/generation-evidence.ts'
import { checkRequest } from '../../stages/check-classes.ts'
import { startClock } from '../../stages/clock.ts'
import { ConfigurationError } from '../../stages/configuration-error.ts'
import { type LoadedData, networkFor } from '../../stages/data.ts'
import type { StageContext, StageOutcome } from '../../stages/stage.ts'
import { loadWeights, WEIGHTS } from '../../stages/weights.ts'
import { type MadeOnce, makeOnce } from '../../store/once.ts'
import { readSafetensors } from '../../store/safetensors.ts'
import { encodeGenerationEvidence } from './evidence.ts'
import { classifierExtractor, type ImageExtractor, inceptionExtractor } from './extractor.ts'
import { openGenerationTools } from './generation-tools.ts'
import { measureGenerated, measureRealImages, REAL_IMAGES, testAccuracy } from './look.ts'
import { decodeSamples, SAMPLES } from './sample.ts'

/** The features of real images, which all runs of a benchmark share. */
export const REFERENCE = 'reference.safetensors'

const registry: Record<string, GenerationMetricDefinition> = metrics

export async function evaluateSamples(spec: EvaluateSamplesStage, context: StageContext): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress } = context
  const total = startClock()
  if (spec.request.kind !== 'class')
    throw new ConfigurationError(`image generation forgets a class; the request is ${spec.request.kind}`)
  const forgottenClass = spec.request.label
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { dataset } = loaded
  checkRequest(spec.request, dataset)
  const network = networkFor(spec.model, loaded, 'generation.judge.model')
  const trained = await context.inputs(spec.judge)
  const state = await loadWeights(store, network, trained, { what: 'the judge' })
  const judge = classifierExtractor({ model: spec.model.id, key: spec.judge, network, state })
  const extractor = spec.extractor === 'judge' ? judge : await inceptionFor(loaded, context)
  const samples = (await context.inputs(spec.samples))[SAMPLES]
  if (!samples) throw new Error(`the input stage has no ${SAMPLES}`)
  const { images, labels } = decodeSamples(await store.get(samples.sha256))
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
  onProgress({ phase: 'metrics', done: 0, total: spec.metrics.length, unit: 'metrics' })
  const values = await scoreGeneration(evidence, spec.metrics, { threads, signal, log })
  return { artifacts, metrics: values, seconds: { setUp, evaluate: total() - setUp - waited } }
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
    engine: ENGINE_VERSION,
    onnxruntime: onnxruntimeVersion,
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

/** Computes metrics named by identity, up to the first `;`. Throws for one that this release does not compute on such evidence. */
export async function scoreGeneration(
  evidence: GenerationEvidence,
  identities: readonly string[],
  { threads, signal, log }: Pick<StageContext, 'threads' | 'signal' | 'log'>,
): Promise<StageResult['metrics']> {
  const offered = Object.entries(registry).flatMap(([id, metric]) => {
    try {
      return [{ id, metric, identity: metric.identity(evidence) }]
    } catch (error) {
      if (error instanceof MetricError) return [] // a metric of another extractor
      throw error
    }
  })
  const tools = openGenerationTools({ threads, signal })
  try {
    const values: StageResult['metrics'] = {}
    for (const named of identities) {
      const found = offered.find(({ identity }) => isMetric(named, identity))
      if (!found) {
        const known = offered.map(({ identity }) => identity.split(';')[0]).join(', ')
        throw new ConfigurationError(`no metric ${named} for features of ${evidence.extractor.id}; known: ${known}`)
      }
      const { id, metric, identity } = found
      values[id] = { identity, value: await metric.compute(evidence, tools) }
      log(`${id} ${values[id].value.toFixed(4)}`)
      const warning = metric.warning(evidence)
      if (warning) log(`${id}: ${warning}`)
    }
    return values
  } finally {
    await tools.release()
  }
}
