/** SFR-on's mask: weights whose Fisher information on D_f is at least γ times that on D_r (https://arxiv.org/abs/2409.19732). */
import type { Mask } from '../../mask.ts'
import type { TaskTypes, Term, Trainer } from '../../method.ts'
import { unflatten, type Weights } from '../../weights.ts'

export function fisherRatioMask(inForget: Weights, inRetain: Weights, threshold: number): Mask {
  const chosen = (name: string, values: Float32Array) =>
    Uint8Array.from(values, (value, i) => ((value + 1e-15) / (inRetain.get(name)![i]! + 1e-15) >= threshold ? 1 : 0))
  return new Map([...inForget].map(([name, values]) => [name, chosen(name, values)]))
}

/** Mean of the squared gradients of batches, each batch's clipped to a norm before. */
export async function clippedSquares<T extends TaskTypes>(
  trainer: Trainer<T>,
  term: Term<T>,
  batches: number,
  clipNorm: number,
): Promise<Weights> {
  const size = trainer.parameters.reduce((sum, parameter) => sum + parameter.size, 0)
  const mean = await trainer.foldGradients(term, new Float32Array(size), (sum, gradient) => {
    const norm = Math.sqrt(gradient.reduce((squares, slope) => squares + slope * slope, 0))
    const scale = Math.min(1, clipNorm / (norm + 1e-6))
    return sum.map((before, i) => before + (scale * gradient[i]!) ** 2 / batches)
  })
  return unflatten(trainer.parameters, mean)
}
