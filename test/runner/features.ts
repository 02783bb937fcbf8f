/** Made-up features: the twin of test/golden/fidelity/features.py, which says how they are made. */
import type { Features } from '../../runner/science/fidelity/features.ts'
import { uniformAt } from '../onnxruntime/uniform.ts'

const CAUSES = 8
const integerAt = (seed: number, index: number, bound: number) => Math.floor(uniformAt(seed, index) * bound)

export function madeUpFeatures(seed: number, count: number, dimension: number, shift = 0): Features {
  const data = new Float32Array(count * dimension)
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < dimension; column++) {
      let sum = integerAt(seed, row * dimension + column, 64) - 96 + shift * (column % 3)
      for (let cause = 0; cause < CAUSES; cause++) {
        const load = integerAt(9000 + dimension, cause * dimension + column, 8)
        sum += integerAt(seed + 1, row * CAUSES + cause, 8) * load
      }
      data[row * dimension + column] = column % 16 === 15 ? 0 : Math.max(0, sum) * 2 ** -(column % 7)
    }
  }
  return { count, dimension, data }
}

/** A permutation: the positions sorted by their draws, equal draws by position. */
export const orderOf = (seed: number, count: number): Int32Array =>
  Int32Array.from(Array(count).keys()).sort((a, b) => uniformAt(seed, a) - uniformAt(seed, b) || a - b)
