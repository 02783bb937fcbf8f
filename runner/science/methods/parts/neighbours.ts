/** Adversarial neighbours: PGD in L2 balls around images, whose radius doubles until the answer changes
 *  (https://arxiv.org/abs/2503.00917). */
import { z } from 'zod'
import type { Expr, Operations } from '../../expression.ts'
import type { Context } from '../../method.ts'
import type { ClassifierBatch, ClassifierTypes, ClassifierValues } from '../../tasks/classification/vocabulary.ts'

export const attack = {
  radius: z
    .number()
    .gt(0)
    .max(10)
    .default(0.04)
    .describe('Radius of the first ball, as the L2 norm over an image whose pixels lie in [0, 1].'),
  attackSteps: z.int().min(1).max(1000).default(50).describe('Steps within a ball before its radius is doubled.'),
  stepShare: z.number().gt(0).max(1).default(0.1).describe('Length of a step as a share of the radius.'),
}

/** Gradient of the loss for each image that is still answered rightly; 0 for the others, which stay where they are. */
function slopes({ images, labels, logits, ...values }: ClassifierValues & Operations): Expr {
  const { argMax, subtract, abs, minimum, stop, multiply, logSumExp, pick, sum, gradient } = values
  const right = subtract(1, minimum(abs(subtract(argMax(logits), labels)), 1))
  return gradient(sum(multiply(stop(right), subtract(logSumExp(logits), pick(logits, labels)))), images)
}

type Asked = Context<ClassifierTypes, { radius: number; attackSteps: number; stepShare: number; batchSize: number }>

/** An image beside each of D_f, in order: the first on its way that is answered wrongly, or the last where no ball holds one.
 *  [n, c, h, w] in [0, 1] */
export async function adversarialNeighbours({ params, trainer, forget, labels }: Asked): Promise<Float32Array> {
  const { radius: first, attackSteps, stepShare, batchSize } = params
  const count = forget.length
  const truth = Array.from(forget, (item) => labels[item]!)
  const clean = await trainer.evaluate({ items: forget, batchSize }, ({ images }) => images)
  const size = clean.length / count
  // Behind the images, 1 for each that has arrived.
  const start = new Float32Array(clean.length + count)
  start.set(clean)
  const radiusOf = (round: number) => first * 2 ** Math.floor(round / attackSteps)
  const left = (state: Float32Array) =>
    Int32Array.from({ length: count }, (_, i) => i).filter((i) => state[clean.length + i] === 0)

  function on(state: Float32Array, round: number): ClassifierBatch | null {
    const items = left(state)
    // A ball of this radius holds every image there is.
    if (items.length === 0 || radiusOf(round) > 2 * Math.sqrt(size)) return null
    // Whole batches, so that one program serves all rounds.
    const batch = Math.min(batchSize, count)
    const length = Math.ceil(items.length / batch) * batch
    return {
      items: Int32Array.from({ length }, (_, i) => labels.length + items[Math.min(i, items.length - 1)]!),
      batchSize: batch,
      beside: { images: state.subarray(0, clean.length), labels: truth },
    }
  }

  function step(state: Float32Array, found: Float32Array, round: number): Float32Array {
    const moved = Float32Array.from(state)
    const radius = radiusOf(round)
    left(state).forEach((image, k) => {
      const slope = found.subarray(k * size, (k + 1) * size)
      const steepness = norm(slope)
      if (steepness === 0) {
        moved[clean.length + image] = 1
        return
      }
      const from = clean.subarray(image * size, (image + 1) * size)
      const here = state.subarray(image * size, (image + 1) * size)
      const change = slope.map((value, i) => here[i]! + (radius * stepShare * value) / (steepness + 1e-10) - from[i]!)
      const shrunk = Math.min(1, radius / norm(change))
      moved.set(
        change.map((value, i) => Math.min(1, Math.max(0, from[i]! + value * shrunk))),
        image * size,
      )
    })
    return moved
  }
  const end = await trainer.foldValues(slopes, start, on, step)
  return end.subarray(0, clean.length)
}

const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
