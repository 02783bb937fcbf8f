/** The contract of nn/models/: one architecture a file, its file name is its id. */
import type { z } from 'zod'
import type { Value } from '../onnx/graph.ts'
import type { Scope } from './network.ts'

export interface ModelOptions {
  classes: number
  /** Per channel, of pixels in [0, 1]. */
  normalization: { mean: number[]; std: number[] }
}

export interface ModelDefinition<Params = Record<string, unknown>> {
  title: string
  paper: { title: string; url: string } | null
  params: z.ZodType<Params>
  /** x [n, c, h, w] with pixels in [0, 1] -> logits [n, classes] */
  build(scope: Scope, x: Value, options: ModelOptions, params: Params): Value
}

export const defineModel = <Params>(definition: ModelDefinition<Params>): ModelDefinition =>
  definition as unknown as ModelDefinition
