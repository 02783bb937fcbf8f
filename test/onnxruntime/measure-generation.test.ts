/** A classifier, real and generated images, and every metric that follows: as an evaluation goes. */
import { afterAll, expect, test } from 'vitest'
import { openMetricTools } from '../../runner/engine/metric-tools.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { floats, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import type { Split } from '../../runner/science/dataset.ts'
import {
  decodeGenerationEvidence,
  encodeGenerationEvidence,
} from '../../runner/science/tasks/generation/evidence/codec.ts'
import * as members from '../../runner/science/tasks/generation/metrics/index.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { classifierExtractor } from '../../runner/tasks/generation/extractor.ts'
import { measureGenerated, measureRealImages, testAccuracy } from '../../runner/tasks/generation/look.ts'
import { uniforms } from './uniform.ts'

const metrics = { ...members }
const options = { threads: 1, signal: new AbortController().signal, onProgress: () => {} }
const tools = openMetricTools({ threads: 1 })
afterAll(tools.release)

/** Images of 3 x 2 pixels; class c has its row c bright, all else is noise. */
function splitOf(seed: number, count: number): Split {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3)
  const images = Uint8Array.from(uniforms(seed, count * 6, 0, 60), (noise, i) => {
    return noise + (Math.floor((i % 6) / 2) === labels[Math.floor(i / 6)] ? 150 : 0)
  })
  return { images, labels, count }
}

/** Features are the pixels, a logit is the sum of a row: always right. */
const network = networkOf([1, 3, 2], 3, (scope, x) => {
  const { ops } = scope
  const weight = scope.parameter('weight', [6, 3], (_, shape) => new Float32Array(shape[0]! * shape[1]!))
  return ops.MatMul(ops.Reshape(x, [x.shape[0]!, 6]), weight)
})
const rowSums = Float32Array.from({ length: 18 }, (_, i) => (Math.floor(Math.floor(i / 3) / 2) === i % 3 ? 1 : 0))
const state = new Map<string, Tensor>([['weight', floats([6, 3], rowSums)]])
const judge = classifierExtractor({ model: 'rows', key: 'f'.repeat(64), network, state })
const realBytes = await measureRealImages(judge, splitOf(1, 300), options)
const real = decodedReal()

function decodedReal() {
  const split = splitOf(1, 300)
  const features = Float32Array.from(split.images, (byte) => byte * Math.fround(1 / 255))
  return { features, labels: split.labels, sha256: sha256Of(realBytes) }
}

const measure = ({ images, labels }: Split) =>
  measureGenerated(
    { images, labels, classes: 3, forgottenClass: 1 },
    { judge, extractor: judge, accuracy: 100, real },
    options,
  )
const scores = async (split: Split) => {
  const evidence = decodeGenerationEvidence(encodeGenerationEvidence(await measure(split)), realBytes)
  const value = (id: keyof typeof metrics) => metrics[id].compute(evidence, tools)
  return {
    ua: await value('generated-ua'),
    ra: await value('generated-ra'),
    fd: await value('classifier-fd'),
    fdInfinity: await value('classifier-fd-infinity'),
    kd: await value('classifier-kd'),
    precision: await value('precision'),
    recall: await value('recall'),
    score: await value('classifier-score'),
  }
}

test('the judge has its accuracy', async () => {
  expect(await testAccuracy(judge, splitOf(2, 50), options)).toBe(100)
  const { images, labels, count } = splitOf(2, 50)
  const shifted = labels.map((label, i) => (i < 10 ? (label + 1) % 3 : label))
  expect(await testAccuracy(judge, { images, labels: shifted, count }, options)).toBe(80) // 40 of 50
})

test('a judge or an extractor of another number of classes than the images is refused before it looks', async () => {
  const { images, labels } = splitOf(2, 9)
  const asked = { images, labels, classes: 4, forgottenClass: 1 }
  const measured = measureGenerated(asked, { judge, extractor: judge, accuracy: 100, real }, failing)
  await expect(measured).rejects.toThrow(
    'rows-features: expected a classifier of the 4 classes of the images, got one of 3',
  )
  const fitting = { ...judge, id: 'other-features', network: { ...network, classes: 4 } }
  const extracted = measureGenerated(asked, { judge: fitting, extractor: judge, accuracy: 100, real }, failing)
  await expect(extracted).rejects.toThrow('rows-features: expected a classifier of the 4 classes')
})

/** Any progress is one too many. */
const failing = {
  ...options,
  onProgress: () => {
    throw new Error('something was computed')
  },
}

test('fresh images like the real ones are near, all recognised and varied', async () => {
  const { ua, ra, fd, fdInfinity, kd, precision, recall, score } = await scores(splitOf(3, 300))
  expect([ua, ra]).toEqual([0, 100])
  expect(fd).toBeLessThan(0.01)
  expect(Math.abs(fdInfinity)).toBeLessThan(fd)
  expect(Math.abs(kd)).toBeLessThan(10) // nothing but the chance of 200 images
  expect(Math.min(precision, recall)).toBeGreaterThan(80)
  expect(score).toBeGreaterThan(1)
})

test('a class that became another is forgotten, and nothing else changes', async () => {
  const fresh = splitOf(3, 300)
  const unlearned = { ...fresh, images: fresh.images.map((byte, i) => swapped(fresh, byte, i)) }
  const [before, after] = [await scores(fresh), await scores(unlearned)]
  expect([before.ua, after.ua]).toEqual([0, 100])
  expect({ ...after, ua: 0 }).toEqual({ ...before, ua: 0 })
})

/** Images asked for class 1 show class 2: their last two rows are exchanged. */
const swapped = ({ images, labels }: Split, byte: number, i: number) => {
  if (labels[Math.floor(i / 6)] !== 1 || i % 6 < 2) return byte
  return images[i % 6 < 4 ? i + 2 : i - 2]!
}

test('a model that lost everything is far, wrong and poor', async () => {
  const { labels, count } = splitOf(3, 300)
  const lost = await scores({ images: new Uint8Array(300 * 6).fill(90), labels, count })
  const fresh = await scores(splitOf(3, 300))
  expect(lost.ra).toBe(50) // all called class 0, which is half of what remains
  expect(lost.fd).toBeGreaterThan(100 * fresh.fd)
  expect(lost.kd).toBeGreaterThan(10 * Math.abs(fresh.kd))
  expect([lost.precision, lost.recall]).toEqual([0, 0])
  expect(lost.score).toBeCloseTo(1, 9)
})
