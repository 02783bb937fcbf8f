/** The Fréchet distance of two normal distributions (Dowson and Landau 1982), which FID takes between features of generated
 *  and of real images (Heusel et al. 2017, https://arxiv.org/abs/1706.08500):
 *
 *      |μ₁ − μ₂|² + tr Σ₁ + tr Σ₂ − 2 tr (Σ₁ Σ₂)^½
 *
 *  With Σ = FᵀF the eigenvalues of Σ₁ Σ₂ are the squared singular values of F₁ F₂ᵀ, so that the last trace is their sum. */

import { inner, type Multiply } from '../matrix.ts'
import type { Gaussian } from './features.ts'
import { nuclearNorm } from './nuclear-norm.ts'

export async function frechetDistance(a: Gaussian, b: Gaussian, multiply: Multiply): Promise<number> {
  const apart = a.mean.reduce((sum, value, i) => sum + (value - b.mean[i]!) ** 2, 0)
  const traces = inner(a.factor, a.factor) + inner(b.factor, b.factor)
  const cross = await nuclearNorm(await multiply(a.factor, b.factor, { transposeB: true }), multiply)
  return Math.max(0, apart + traces - 2 * cross) // Rounding may take the distance of equal distributions below 0.
}
