/** Sampling steps: which timesteps a sampler visits, and how each moves x. A step estimates the clean image and mixes:
 *  x' = P x̂_0 + Q x + S z, with x̂_0 = (x − sqrt(1 − ᾱ) ε) / sqrt(ᾱ) and fresh noise z. */
import type { Diffusion, Sampler } from '../../../../schema/parts/diffusion.ts'
import { alphaBarsOf } from './schedule.ts'

export interface SamplingStep {
  /** Timestep that the denoiser is asked about. */
  t: number
  /** 1 / sqrt(ᾱ) and sqrt(1 − ᾱ) / sqrt(ᾱ), then P, Q and S. */
  coefficients: [number, number, number, number, number]
}

/** Evenly spaced timesteps 0, k, 2k, ... with k = floor(T / steps), from the last to the first. With a step count that does
 *  not divide T there are more of them than asked, as in the reference code. */
export function timestepsOf(timesteps: number, steps: number): number[] {
  if (steps > timesteps) throw new Error(`${steps} sampling steps were asked of a schedule with ${timesteps}`)
  const stride = Math.floor(timesteps / steps)
  return Array.from({ length: Math.ceil(timesteps / stride) }, (_, i) => i * stride).reverse()
}

export function stepsOf(diffusion: Diffusion, sampler: Sampler): SamplingStep[] {
  const alphaBars = alphaBarsOf(diffusion)
  const visited = timestepsOf(diffusion.timesteps, sampler.steps)
  return visited.map((t, i) => {
    const now = alphaBars[t]!
    const next = i + 1 < visited.length ? alphaBars[visited[i + 1]!]! : 1
    const beta = 1 - now / next // of the step from the next level to this one
    const smaller = (beta * (1 - next)) / (1 - now) // variance of the posterior q(x' | x, x_0)
    if (sampler.kind === 'ddpm') {
      const p = (Math.sqrt(next) * beta) / (1 - now)
      const q = (Math.sqrt(1 - beta) * (1 - next)) / (1 - now)
      return { t, coefficients: [...cleanOf(now), p, q, next === 1 ? 0 : Math.sqrt(beta)] }
    }
    // x' = sqrt(ᾱ') x̂_0 + sqrt(1 − ᾱ' − σ²) ε + σ z, where ε = (x − sqrt(ᾱ) x̂_0) / sqrt(1 − ᾱ)
    const sigma = sampler.eta * Math.sqrt(smaller)
    const direction = Math.sqrt(Math.max(0, 1 - next - sigma ** 2) / (1 - now))
    return { t, coefficients: [...cleanOf(now), Math.sqrt(next) - direction * Math.sqrt(now), direction, sigma] }
  })
}

const cleanOf = (alphaBar: number): [number, number] => [1 / Math.sqrt(alphaBar), Math.sqrt(1 / alphaBar - 1)]
