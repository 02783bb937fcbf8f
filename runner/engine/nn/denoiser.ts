/** The contract of nn/denoisers/: one noise-predicting architecture a file, its file name is its id. */
import type { z } from 'zod'
import type { Value } from '../onnx/graph.ts'
import type { DenoiserInputs } from './denoiser-network.ts'
import type { Scope } from './variables.ts'

export interface DenoiserDefinition<Params = Record<string, unknown>> {
  title: string
  paper: { title: string; url: string } | null
  params: z.ZodType<Params>
  /** Noisy images, timesteps and classes -> the predicted noise, in the shape of the images. */
  build(scope: Scope, inputs: DenoiserInputs, options: { classes: number }, params: Params): Value
  /** Whether a parameter belongs to the path by which the class enters: what ESD-x trains, in a network without
   *  cross-attention. */
  conditions(parameter: string): boolean
}

export const defineDenoiser = <Params>(definition: DenoiserDefinition<Params>): DenoiserDefinition =>
  definition as unknown as DenoiserDefinition
