/** Metrics where there is no engine: the same values as with it, and an end where they would take too long. */
import { expect, test } from 'vitest'
import { openMetricTools } from '../../runner/engine/metric-tools.ts'
import { plainShuffles, plainTools, TooLongError } from '../../runner/science/plain-tools.ts'
import { isSame, offeredOn, scoreEach, scoreEvidence } from '../../runner/science/score.ts'
import { generation } from '../../runner/science/tasks/generation/task.ts'
import { madeUpFeatures } from '../runner/features.ts'

const BOUNDS = { svcSamples: 1000, svcCacheBytes: 2 ** 20, multiplications: 1e9 }
const [CLASSES, DIMENSION, MADE, REAL] = [4, 12, 120, 160]
const labelsOf = (count: number) => Uint8Array.from({ length: count }, (_, i) => i % CLASSES)
const logits = madeUpFeatures(5, MADE, CLASSES).data

const evidence = {
  classes: CLASSES,
  forgottenClass: 2,
  labels: labelsOf(MADE),
  judge: { key: 'a'.repeat(64), testAccuracy: 91.2, logits },
  extractor: { id: 'small-cnn-features', weights: 'b'.repeat(64), preprocessing: 'none', dimension: DIMENSION },
  features: madeUpFeatures(400, MADE, DIMENSION).data,
  scores: logits,
  scoreClasses: CLASSES,
  real: { features: madeUpFeatures(410, REAL, DIMENSION, 2).data, labels: labelsOf(REAL), sha256: 'c'.repeat(64) },
}
const identities = offeredOn(generation, evidence).map(({ identity }) => identity)

test('every metric of images has the value that it has with the engine', async () => {
  const engine = openMetricTools({ threads: 1 })
  // Precision and recall are remembered by evidence: each way has evidence of its own.
  const { values } = await scoreEvidence(generation, { ...evidence }, identities, engine).finally(engine.release)
  const plain = await scoreEach(generation, { ...evidence }, identities, () => plainTools(BOUNDS))
  expect(plain.unscored).toEqual([])
  expect(Object.keys(plain.values)).toEqual(Object.keys(values))
  for (const [id, { value, identity }] of Object.entries(plain.values)) {
    expect(identity).toBe(values[id]!.identity)
    expect([id, isSame(values[id]!.value, value), value]).toEqual([id, true, value])
  }
})

test('orders are those of the engine', async () => {
  const engine = openMetricTools()
  const [plain, other] = [await plainShuffles('kid'), engine.shuffles('kid')]
  for (const count of [7, 50]) expect(plain(count)).toEqual(other(count))
  await engine.release()
})

test('what takes more multiplications than it may is refused by itself, and leaves the others', async () => {
  // A Fréchet distance of 12 numbers an image takes some hundred thousand, the kernel distance 3 x 90² x 12 for each of 100 subsets.
  const { values, unscored } = await scoreEach(generation, { ...evidence }, identities, () =>
    plainTools({ ...BOUNDS, multiplications: 1e6 }),
  )
  expect(values['classifier-fd']).toBeDefined()
  expect(values['generated-ua']).toBeDefined()
  const kernel = unscored.find(({ named }) => named.startsWith('classifier-kd/'))
  expect(kernel?.error).toBeInstanceOf(TooLongError)
  expect(kernel?.error.message).toBe('products of matrices with more than 1000000 multiplications')
})

test('an SVC on more samples than there may be is refused', async () => {
  const samples = new Float64Array(1001)
  const fit = plainTools(BOUNDS).fitSvc({ samples, labels: new Uint8Array(1001), cost: 3, gamma: 1, queries: samples })
  await expect(fit).rejects.toThrow(TooLongError)
})
