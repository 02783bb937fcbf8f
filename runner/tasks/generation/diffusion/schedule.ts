/** Noise schedules: x_t = sqrt(ᾱ_t) x_0 + sqrt(1 − ᾱ_t) ε, with ᾱ_t the product of 1 − β up to t. */
import type { Diffusion } from '../../../../schema/parts/diffusion.ts'

/** Largest β of the cosine schedule, whose last would be 1. */
const MAX_BETA = 0.999

/** β of each timestep from 0 to T − 1. */
export function betasOf({ timesteps, schedule }: Diffusion): Float64Array {
  if (schedule.kind === 'linear') {
    const { first, last } = schedule
    return Float64Array.from({ length: timesteps }, (_, t) => first + ((last - first) * t) / (timesteps - 1))
  }
  const level = (t: number) =>
    Math.cos(((t / timesteps + schedule.offset) / (1 + schedule.offset)) * (Math.PI / 2)) ** 2
  return Float64Array.from({ length: timesteps }, (_, t) => Math.min(MAX_BETA, 1 - level(t + 1) / level(t)))
}

/** ᾱ of each timestep. */
export function alphaBarsOf(diffusion: Diffusion): Float64Array {
  let product = 1
  return betasOf(diffusion).map((beta) => {
    product *= 1 - beta
    return product
  })
}
