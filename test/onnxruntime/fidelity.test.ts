/** KID, precision and recall, Inception Score and FID∞ against scikit-learn, numpy and scipy (test/golden/fidelity/scores.py). */
import { afterAll, describe, expect, test } from 'vitest'
import { openLinearAlgebra } from '../../runner/engine/linear-algebra.ts'
import { featuresOf, gaussianOf } from '../../runner/science/fidelity/features.ts'
import { fidInfinity, subsetSizes } from '../../runner/science/fidelity/fid-infinity.ts'
import { inceptionScore } from '../../runner/science/fidelity/inception-score.ts'
import { kernelDistance } from '../../runner/science/fidelity/kid.ts'
import { precisionRecall } from '../../runner/science/fidelity/precision-recall.ts'
import { MetricError } from '../../runner/science/metric.ts'
import { madeUpFeatures, orderOf } from '../runner/features.ts'
import { goldenJson } from '../runner/golden.ts'

type Draw = [seed: number, count: number, shift: number]
interface Case {
  name: string
  generated: Draw
  real: Draw
  dimension: number
  kid: { value: number; sd: number | null }
  precision: number
  recall: number
  fidInfinity: { value: number; sizes: number[]; distances: number[] }
  inceptionScore: { value: number; sd: number }
}
const cases: Case[] = goldenJson('fidelity/scores.json')
const { multiply, release } = openLinearAlgebra({ threads: 2 })
afterAll(release)

const drawn = ([seed, count, shift]: Draw, dimension: number) => madeUpFeatures(seed, count, dimension, shift)
/** Orders whose seed counts up. */
const shuffleFrom = (seed: number) => {
  let next = seed
  return (count: number) => orderOf(next++, count)
}
const off = (value: number, expected: number) => Math.abs(value / expected - 1)

describe.each(cases)('$name', ({ generated, real, dimension, ...expected }) => {
  const [fake, truth] = [drawn(generated, dimension), drawn(real, dimension)]

  test('KID agrees with scikit-learn', async () => {
    const { value, sd } = await kernelDistance(fake, truth, { multiply, shuffle: shuffleFrom(5000) })
    expect(off(value, expected.kid.value)).toBeLessThan(1e-9)
    if (expected.kid.sd === null) expect(sd).toBeNull()
    else expect(off(sd!, expected.kid.sd)).toBeLessThan(1e-9)
  })

  test('precision and recall agree with scikit-learn', async () => {
    const { precision, recall } = await precisionRecall(fake, truth, multiply)
    expect([precision, recall]).toEqual([expected.precision, expected.recall])
  })

  test('FID∞ agrees with scipy', async () => {
    const real = await gaussianOf(truth, multiply)
    const { value, sizes, distances } = await fidInfinity(fake, real, { multiply, shuffle: shuffleFrom(7000) })
    expect(sizes).toEqual(expected.fidInfinity.sizes)
    for (const [i, distance] of distances.entries()) {
      expect(off(distance, expected.fidInfinity.distances[i]!)).toBeLessThan(1e-6)
    }
    expect(off(value, expected.fidInfinity.value)).toBeLessThan(1e-6)
  })

  test('the Inception Score agrees with scipy', () => {
    const logits = drawn([generated[0], generated[1], 0], 12)
    const ten = Float32Array.from({ length: logits.count * 10 }, (_, i) => {
      return logits.data[Math.floor(i / 10) * 12 + (i % 10)]! / 16
    })
    const { value, sd } = inceptionScore(ten, 10)
    expect(off(value, expected.inceptionScore.value)).toBeLessThan(1e-12)
    expect(off(sd, expected.inceptionScore.sd)).toBeLessThan(1e-9)
  })
})

describe('precision and recall', () => {
  const line = (...places: number[]) => featuresOf(Float32Array.from(places), 1, 'points')

  test('count balls that reach to the third neighbour', async () => {
    // Real at 0, 1, 2, 3: radii 3, 2, 2, 3, so that [-3, 6] is covered. Generated at 5, 6, 7, 8: radii likewise, [2, 11].
    const result = await precisionRecall(line(5, 6, 7, 8), line(0, 1, 2, 3), multiply)
    expect(result).toEqual({ precision: 2 / 4, recall: 2 / 4 })
  })

  test('of copies both are 1, even where the copies are all one point', async () => {
    expect(await precisionRecall(line(4, 4, 4, 4), line(4, 4, 4, 4), multiply)).toEqual({ precision: 1, recall: 1 })
  })
})

describe('Inception Score', () => {
  test('is the number of classes when all occur equally and surely, 1 when nothing is sure', () => {
    const sure = Float32Array.from({ length: 40 * 4 }, (_, i) => (Math.floor(i / 4) % 4 === i % 4 ? 1000 : 0))
    expect(inceptionScore(sure, 4).value).toBeCloseTo(4, 12)
    expect(inceptionScore(new Float32Array(40 * 4), 4)).toEqual({ value: 1, sd: 0 })
  })
})

describe('too few images', () => {
  const few = featuresOf(new Float32Array(6), 2, 'the generated images') // 3 images

  test('are refused with the number that is needed', async () => {
    const shuffle = shuffleFrom(1)
    const one = featuresOf(new Float32Array(2), 2, 'one')
    await expect(kernelDistance(one, few, { multiply, shuffle })).rejects.toThrow(MetricError)
    await expect(precisionRecall(few, few, multiply)).rejects.toThrow('more than 3 generated images, got 3')
    expect(() => inceptionScore(new Float32Array(18), 2)).toThrow('at least 10 images, got 9')
    expect(() => subsetSizes(29, 2)).toThrow('at least 30 images, got 29')
  })

  test('the subsets of FID∞ have at least twice as many images as dimensions where there are enough', () => {
    expect(subsetSizes(50_000, 2048)[0]).toBe(5000) // a tenth
    expect(subsetSizes(10_000, 2048)[0]).toBe(4096) // twice 2,048
    expect(subsetSizes(5000, 2048)[0]).toBe(2500) // half
    expect(subsetSizes(5000, 64)).toHaveLength(15)
    expect(subsetSizes(5000, 64)[14]).toBe(5000)
  })
})
