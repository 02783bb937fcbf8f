/** Metrics of generated images on made-up evidence: values worked out by hand, identities and refusals. */
import { describe, expect, test } from 'vitest'
import { SafetensorsError } from '../../runner/formats/safetensors.ts'
import { gaussianOf, rowsOf } from '../../runner/science/fidelity/features.ts'
import { frechetDistance } from '../../runner/science/fidelity/frechet.ts'
import { inceptionScore } from '../../runner/science/fidelity/inception-score.ts'
import { type Multiply, matrixOf, transposed } from '../../runner/science/matrix.ts'
import { MetricError, type MetricTools } from '../../runner/science/metric.ts'
import { identityOf } from '../../runner/science/score.ts'
import {
  decodeGenerationEvidence,
  encodeGenerationEvidence,
  encodeRealImages,
} from '../../runner/science/tasks/generation/evidence/codec.ts'
import {
  CANONICAL_EXTRACTOR,
  type GenerationEvidence,
  positionsOf,
} from '../../runner/science/tasks/generation/evidence/evidence.ts'
import * as members from '../../runner/science/tasks/generation/metrics/index.ts'
import { madeUpFeatures, orderOf } from './features.ts'

const metrics = { ...members }

/** Row by column, in plain TypeScript. */
const multiply: Multiply = async (a, b, { transposeA = false, transposeB = false } = {}) => {
  const [left, right] = [transposeA ? transposed(a) : a, transposeB ? b : transposed(b)]
  const product = matrixOf(left.rows, right.rows)
  for (let i = 0; i < left.rows; i++) {
    for (let j = 0; j < right.rows; j++) {
      for (let k = 0; k < left.columns; k++) {
        product.data[i * right.rows + j]! += left.data[i * left.columns + k]! * right.data[j * left.columns + k]!
      }
    }
  }
  return product
}
const tools: MetricTools = {
  fitSvc: () => Promise.reject(new Error('no metric of images asks for an SVC')),
  multiply,
  shuffles() {
    let seed = 1
    return (count) => orderOf(seed++, count)
  },
}

const [CLASSES, FORGOTTEN, DIMENSION] = [4, 2, 12]
const labelsOf = (count: number) => Uint8Array.from({ length: count }, (_, i) => i % CLASSES)
const generated = madeUpFeatures(400, 120, DIMENSION)
const real = madeUpFeatures(410, 160, DIMENSION, 2)
/** The judge is right unless the image's number is a multiple of 5, and then answers 0. */
const judgeLogits = Float32Array.from({ length: 120 * CLASSES }, (_, i) => {
  const image = Math.floor(i / CLASSES)
  return i % CLASSES === (image % 5 === 0 ? 0 : image % CLASSES) ? 5 : 0
})

const byClassifier: GenerationEvidence = {
  classes: CLASSES,
  forgottenClass: FORGOTTEN,
  labels: labelsOf(120),
  judge: { key: 'a'.repeat(64), testAccuracy: 91.2, logits: judgeLogits },
  extractor: { id: 'small-cnn-features', weights: 'b'.repeat(64), preprocessing: 'none', dimension: DIMENSION },
  features: generated.data,
  scores: judgeLogits,
  scoreClasses: CLASSES,
  real: { features: real.data, labels: labelsOf(160), sha256: 'c'.repeat(64) },
}
const byInception: GenerationEvidence = {
  ...byClassifier,
  extractor: { id: CANONICAL_EXTRACTOR, weights: 'd'.repeat(64), preprocessing: 'bilinear-299', dimension: DIMENSION },
}
const canonical = ['fid', 'fid-infinity', 'kid', 'inception-score']
const evidenceFor = (id: string) => (canonical.includes(id) ? byInception : byClassifier)

const kept = (labels: Uint8Array) => positionsOf(labels, (label) => label !== FORGOTTEN)
const remaining = { generated: rowsOf(generated, kept(labelsOf(120))), real: rowsOf(real, kept(labelsOf(160))) }

describe('metrics of generated images', () => {
  test.each(Object.entries(metrics))(
    '%s gives a finite number, the same again, under an identity with its version',
    async (id, metric) => {
      const evidence = evidenceFor(id)
      const value = await metric.compute(evidence, tools)
      expect(Number.isFinite(value)).toBe(true)
      expect(await metric.compute(evidence, tools)).toBe(value)
      expect(identityOf(metric, evidence)).toMatch(new RegExp(`^[a-z-]+/[a-z0-9-]+@${metric.version};`))
      expect(identityOf(metric, evidence).length).toBeLessThanOrEqual(300)
    },
  )

  test('identities say what was measured, how, and against what', () => {
    // Three of four classes remain: 90 of 120 generated and 120 of 160 real images.
    expect(identityOf(metrics['classifier-fd'], byClassifier)).toBe(
      `classifier-fd/small-cnn-features@1;dim=12;pre=none;weights=${'b'.repeat(16)};n=90;m=120;ref=${'c'.repeat(64)}`,
    )
    expect(identityOf(metrics.fid, byInception)).toBe(
      `fid/inception-v3-pool3@1;dim=12;pre=bilinear-299;weights=${'d'.repeat(16)};n=90;m=120;ref=${'c'.repeat(64)}`,
    )
    expect(identityOf(metrics.kid, byInception)).toContain(';subsets=100x90;')
    expect(identityOf(metrics['generated-ua'], byClassifier)).toBe(
      `ua/judge@1;judge=${'a'.repeat(64)};accuracy=91.20;n=30`,
    )
    expect(identityOf(metrics['generated-ra'], byClassifier)).toBe(
      `ra/judge@1;judge=${'a'.repeat(64)};accuracy=91.20;n=90`,
    )
  })

  test('no two metrics of one evidence have the same identity', () => {
    for (const evidence of [byClassifier, byInception]) {
      const own = Object.entries(metrics).filter(([id]) => canonical.includes(id) === (evidence === byInception))
      const identities = own.map(([, metric]) => identityOf(metric, evidence))
      expect(new Set(identities).size).toBe(identities.length)
    }
  })

  test.each(canonical)('%s is refused for the features of a classifier', async (id) => {
    const metric = metrics[id as 'fid']
    expect(() => identityOf(metric, byClassifier)).toThrow(
      'needs features of inception-v3-pool3, got those of small-cnn-features',
    )
    await expect((async () => metric.compute(byClassifier, tools))()).rejects.toThrow(MetricError)
  })

  test.each(['classifier-fd', 'classifier-fd-infinity', 'classifier-kd', 'classifier-score'] as const)(
    '%s does not bear a well-known name, and refuses Inception-v3',
    (id) => {
      expect(metrics[id].title).toMatch(/^Classifier/)
      expect(() => identityOf(metrics[id], byInception)).toThrow(MetricError)
    },
  )

  test('distances leave the forgotten class out on both sides', async () => {
    const [a, b] = [await gaussianOf(remaining.generated, multiply), await gaussianOf(remaining.real, multiply)]
    expect(await metrics['classifier-fd'].compute(byClassifier, tools)).toBe(await frechetDistance(a, b, multiply))
    const changed = {
      ...byClassifier,
      features: generated.data.map((value, i) => (Math.floor(i / DIMENSION) % CLASSES === FORGOTTEN ? 999 : value)),
    }
    for (const id of ['classifier-fd', 'classifier-kd', 'precision', 'recall'] as const) {
      expect(await metrics[id].compute(changed, tools), id).toBe(await metrics[id].compute(byClassifier, tools))
    }
  })

  test('the score of images sampled class by class is that of the shuffled images', async () => {
    const sorted = Float32Array.from({ length: 1200 * CLASSES }, (_, i) => {
      const image = Math.floor(i / CLASSES)
      return Math.floor(image / 300) === i % CLASSES ? 50 : 0
    })
    const labels = Uint8Array.from({ length: 1200 }, (_, i) => Math.floor(i / 300))
    const evidence = { ...byClassifier, labels, scores: sorted }
    const order = orderOf(1, 900)
    const rows = positionsOf(labels, (label) => label !== FORGOTTEN)
    const shuffled = rowsOf(
      { count: 1200, dimension: CLASSES, data: sorted },
      Array.from(order, (i) => rows[i]!),
    )
    const value = await metrics['classifier-score'].compute(evidence, tools)
    expect(value).toBe(inceptionScore(shuffled.data, CLASSES).value)
    expect(value).toBeGreaterThan(2.8) // 3 classes remain, each sure
  })

  test('too few images for the dimension are told in the identity and in words', () => {
    const few = { ...byClassifier, labels: labelsOf(16), features: generated.data.subarray(0, 16 * DIMENSION) }
    expect(identityOf(metrics['classifier-fd'], few)).toMatch(/;n=12;m=120;ref=c{64};small-n$/)
    expect(metrics['classifier-fd'].warning?.(few)).toBe(
      '12 generated and 120 real images are too few for 12 dimensions: the figure is biased upwards, and only comparable at the same numbers',
    )
    expect(metrics['classifier-fd'].warning?.(byClassifier)).toBeNull()
  })

  test('UA is the share of the forgotten class that the judge calls otherwise, RA that of the others called right', async () => {
    // Images 2, 6, ... 118 are of class 2; of these 30, the multiples of 5 are 10, 30, 50, 70, 90, 110: 6 called class 0.
    expect(await metrics['generated-ua'].compute(byClassifier, tools)).toBe(20)
    // Of the 90 others, 0, 20, ... 100 are of class 0 and rightly called so; 5, 15, ... 115 are 12 and wrongly.
    expect(await metrics['generated-ra'].compute(byClassifier, tools)).toBeCloseTo((100 * (90 - 12)) / 90, 12)
  })

  test('what does not fit is refused', async () => {
    const compute = async (id: keyof typeof metrics, evidence: GenerationEvidence) =>
      metrics[id].compute(evidence, tools)
    const none = { ...byClassifier, forgottenClass: 3, labels: labelsOf(120).map((label) => label % 3) }
    await expect(compute('generated-ua', none)).rejects.toThrow(
      'expected generated images of the forgotten classes, got none',
    )
    const short = { ...byClassifier, features: generated.data.subarray(DIMENSION) }
    await expect(compute('classifier-fd', short)).rejects.toThrow(
      'the generated images: expected the features of 120 images, got 119',
    )
    const judge = { ...byClassifier.judge, logits: judgeLogits.map((logit, i) => (i === 9 ? Number.NaN : logit)) }
    await expect(compute('generated-ra', { ...byClassifier, judge })).rejects.toThrow('got NaN (image 2)')
  })
})

describe('evidence of generation', () => {
  const realBytes = encodeRealImages(byClassifier.real, byClassifier.extractor)

  test('is the same after storing', () => {
    const bytes = encodeGenerationEvidence(byClassifier)
    expect(decodeGenerationEvidence(bytes, realBytes)).toEqual(byClassifier)
    expect(encodeGenerationEvidence(decodeGenerationEvidence(bytes, realBytes))).toEqual(bytes)
  })

  test('real images that another extractor saw are refused', () => {
    const other = encodeRealImages(byClassifier.real, { ...byClassifier.extractor, weights: 'e'.repeat(64) })
    expect(() => decodeGenerationEvidence(encodeGenerationEvidence(byClassifier), other)).toThrow(
      `the generated images were seen by ${'b'.repeat(64)}, the real ones by ${'e'.repeat(64)}`,
    )
    expect(() => decodeGenerationEvidence(realBytes, realBytes)).toThrow(SafetensorsError)
  })
})
