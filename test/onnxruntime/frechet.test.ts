/** Fréchet distances by the engine against scipy (test/golden/fidelity/frechet.py). */
import { afterAll, describe, expect, test } from 'vitest'
import { openLinearAlgebra } from '../../runner/engine/linear-algebra.ts'
import { featuresOf, gaussianFrom, gaussianOf } from '../../runner/science/fidelity/features.ts'
import { frechetDistance } from '../../runner/science/fidelity/frechet.ts'
import { nuclearNorm } from '../../runner/science/fidelity/nuclear-norm.ts'
import { type Matrix, matrixOf } from '../../runner/science/matrix.ts'
import { MetricError } from '../../runner/science/metric.ts'
import { madeUpFeatures } from '../runner/features.ts'
import { goldenJson } from '../runner/golden.ts'
import { uniforms } from './uniform.ts'

type Draw = [seed: number, count: number, shift: number]
interface Case {
  name: string
  generated: Draw
  real: Draw
  dimension: number
  distance: number
}
const cases: Case[] = goldenJson('fidelity/frechet.json')
const { multiply, release } = openLinearAlgebra({ threads: 2 })
afterAll(release)

const drawn = ([seed, count, shift]: Draw, dimension: number) => madeUpFeatures(seed, count, dimension, shift)
const random = (rows: number, columns: number): Matrix =>
  matrixOf(rows, columns, Float64Array.from(uniforms(300, rows * columns, -1, 1)))

describe('Fréchet distance', () => {
  test.each(cases)('agrees with scipy: $name', async ({ generated, real, dimension, distance }) => {
    const [a, b] = [drawn(generated, dimension), drawn(real, dimension)]
    const value = await frechetDistance(await gaussianOf(a, multiply), await gaussianOf(b, multiply), multiply)
    expect(Math.abs(value / distance - 1)).toBeLessThan(1e-9)
  })

  test('from mean and covariance alone it is the same', async () => {
    const { generated, real, dimension, distance } = cases[1]!
    const gaussians = [generated, real].map(async (draw) => {
      const { count, mean, factor } = await gaussianOf(drawn(draw, dimension), multiply)
      return gaussianFrom({ count, mean, covariance: await multiply(factor, factor, { transposeA: true }) })
    })
    const [a, b] = await Promise.all(gaussians)
    expect(Math.abs((await frechetDistance(a!, b!, multiply)) / distance - 1)).toBeLessThan(1e-9)
  })

  test('a covariance without full rank is factored as well', async () => {
    const { generated, real, dimension, distance } = cases[3]! // 40 images in 64 dimensions
    const { count, mean, factor } = await gaussianOf(drawn(generated, dimension), multiply)
    const covariance = await multiply(factor, factor, { transposeA: true })
    const b = await gaussianOf(drawn(real, dimension), multiply)
    const value = await frechetDistance(gaussianFrom({ count, mean, covariance }), b, multiply)
    // The covariance itself carries rounding errors, whose square roots count: half of the digits.
    expect(Math.abs(value / distance - 1)).toBeLessThan(1e-6)
  })

  test('of a set from itself it is 0, of one from the other as of the other from the one', async () => {
    const [a, b] = [
      await gaussianOf(drawn([1, 90, 0], 32), multiply),
      await gaussianOf(drawn([3, 80, 2], 32), multiply),
    ]
    expect(await frechetDistance(a, a, multiply)).toBeLessThan(1e-9 * a.factor.data.length)
    const there = await frechetDistance(a, b, multiply)
    expect(Math.abs((await frechetDistance(b, a, multiply)) / there - 1)).toBeLessThan(1e-12)
  })

  test('moving one mean by v adds |v|²', async () => {
    const a = await gaussianOf(drawn([1, 90, 0], 32), multiply)
    const b = { ...a, mean: a.mean.map((value, i) => (i < 2 ? value + 3 : value)) }
    expect(await frechetDistance(a, b, multiply)).toBeCloseTo(3 ** 2 + 3 ** 2, 6)
  })

  test('features that cannot be measured are refused', async () => {
    const one = featuresOf(new Float32Array(8), 8, 'the generated images')
    await expect(gaussianOf(one, multiply)).rejects.toThrow(MetricError)
    expect(() => featuresOf(Float32Array.of(1, Number.NaN), 2, 'the generated images')).toThrow(
      'the generated images: expected finite features, got NaN (image 0)',
    )
    expect(() => featuresOf(new Float32Array(9), 2, 'the real images')).toThrow('expected a multiple of 2 features')
  })
})

describe('nuclear norm', () => {
  test('is the trace of a diagonal matrix over thirteen orders of magnitude, zeros included', async () => {
    const diagonal = [1e6, 1, 1e-3, 1e-7, 0, 0]
    const matrix = matrixOf(6, 6)
    diagonal.forEach((value, i) => {
      matrix.data[i * 7] = i === 1 ? -value : value // the sign is not the singular value's
    })
    const sum = diagonal.reduce((a, b) => a + b)
    expect(Math.abs((await nuclearNorm(matrix, multiply)) / sum - 1)).toBeLessThan(1e-12)
  })

  test('of wide and of tall matrices is the same, of 0 it is 0', async () => {
    const tall = random(40, 7)
    const wide = await multiply(
      matrixOf(
        7,
        7,
        Float64Array.from({ length: 49 }, (_, i) => (i % 8 ? 0 : 1)),
      ),
      tall,
      {
        transposeB: true,
      },
    )
    expect(await nuclearNorm(wide, multiply)).toBeCloseTo(await nuclearNorm(tall, multiply), 10)
    expect(await nuclearNorm(matrixOf(3, 2), multiply)).toBe(0)
  })

  test('refuses what is not finite', async () => {
    await expect(nuclearNorm(matrixOf(1, 1, Float64Array.of(Number.POSITIVE_INFINITY)), multiply)).rejects.toThrow(
      'finite',
    )
  })
})
