/** Samples images from a denoiser. The noise of image i depends on the seed and on i alone, so that a list of images can be cut
 *  into batches anywhere and continued later. */
import type { Diffusion, Sampling } from '../../../../schema/parts/diffusion.ts'
import { drawKeys } from '../../../engine/nn/counter-random.ts'
import type { DenoiserNetwork } from '../../../engine/nn/denoiser-network.ts'
import type { Executor } from '../../../engine/nn/executor.ts'
import { randomStream } from '../../../engine/nn/random.ts'
import { valueFeeds } from '../../../engine/nn/variables.ts'
import { floats, int64s, sizeOf, type Tensor } from '../../../engine/onnx/tensor.ts'
import { sampleProgram } from './sample-program.ts'
import { stepsOf } from './steps.ts'

export interface SamplerOptions {
  executor: Executor
  denoiser: DenoiserNetwork
  diffusion: Diffusion
  sampling: Pick<Sampling, 'sampler' | 'guidance' | 'clip'>
  seed: number
  /** Keeps the draws of one use apart from those of others. */
  purpose: string
}

export interface SampleRequest {
  weights: ReadonlyMap<string, Tensor>
  /** Class of each image, and the number of the first. */
  labels: readonly number[]
  first: number
  /** Stops after this many steps, on the way from noise. */
  until?: number
}

/** A function that samples one batch: x [n, c, h, w] and the timestep at which it stopped (−1 for clean images). It has as many
 *  `steps` as the sampler takes, which may be more than were asked for. */
export function samplerOf({ executor, denoiser, diffusion, sampling, seed, purpose }: SamplerOptions) {
  const steps = stepsOf(diffusion, sampling.sampler)
  const size = sizeOf(denoiser.inputShape)
  const drawn = steps.some(({ coefficients }) => coefficients[4] > 0)
  async function sample({
    weights,
    labels,
    first,
    until = steps.length,
  }: SampleRequest): Promise<{ x: Float32Array; t: number }> {
    const batch = labels.length
    const start = new Float32Array(batch * size)
    const keys = new BigInt64Array(drawn ? steps.length * batch * 2 : 0)
    for (let i = 0; i < batch; i++) {
      const random = randomStream(seed, `${purpose}/${first + i}`)
      for (let at = 0; at < size; at++) start[i * size + at] = random.normal()
      if (!drawn) continue
      const words = drawKeys(random, [steps.length]).data as BigInt64Array
      for (let step = 0; step < steps.length; step++)
        keys.set(words.subarray(2 * step, 2 * step + 2), 2 * (step * batch + i))
    }
    const options = {
      batch,
      guidance: sampling.guidance,
      clip: sampling.clip,
      noise: drawn ? 'drawn' : 'none',
    } as const
    const feeds: Record<string, Tensor> = {
      ...valueFeeds(weights),
      labels: int64s([batch], labels),
      x: floats([batch, ...denoiser.inputShape], start),
    }
    await executor.iterate({
      name: `sample ${JSON.stringify(options)}`,
      program: () => sampleProgram(denoiser, options),
      first: 0,
      end: until,
      feeds,
      stepFeeds({ first, steps: count }) {
        const chosen = steps.slice(first, first + count)
        return {
          t: int64s(
            [count],
            chosen.map(({ t }) => t),
          ),
          coefficients: floats(
            [count, 5],
            chosen.flatMap(({ coefficients }) => coefficients),
          ),
          ...(drawn && {
            keys: {
              type: 'int64',
              shape: [count, batch, 2],
              data: keys.subarray(2 * batch * first, 2 * batch * (first + count)),
            },
          }),
        }
      },
      after(outputs) {
        feeds.x = outputs['next/x']!
      },
    })
    return { x: feeds.x!.data as Float32Array, t: steps[until]?.t ?? -1 }
  }
  return Object.assign(sample, { steps: steps.length })
}

/** Numbers in [-1, 1] as bytes; what lies outside is cut. */
export const toBytes = (x: Float32Array): Uint8Array =>
  Uint8Array.from(x, (value) => Math.min(255, Math.max(0, Math.round((value + 1) * 127.5))))
