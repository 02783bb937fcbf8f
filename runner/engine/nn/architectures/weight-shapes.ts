/** What the weights of a model are called and how they are shaped, from the words of a benchmark alone. Builds the graph as data: no
 *  Node and no onnxruntime come along, so that a server can tell whether a file is what it claims to be. */
import type { ModelRef } from '../../../../schema/parts/recipe.ts'
import type { Shape } from '../../onnx/tensor.ts'
import type { DenoiserDefinition } from '../denoiser.ts'
import { denoiserNetworkOf } from '../denoiser-network.ts'
import * as denoisers from '../denoisers/index.ts'
import type { ModelDefinition } from '../model.ts'
import * as models from '../models/index.ts'
import { networkOf } from '../network.ts'
import type { Variables } from '../variables.ts'

const classifying: Record<string, ModelDefinition> = models
const denoising: Record<string, DenoiserDefinition> = denoisers

export interface Images {
  channels: number
  height: number
  width: number
  classes: number
}

/** Shapes of parameters and buffers by name; null for an architecture that is not known here. */
export function weightShapes(model: ModelRef, images: Images): Map<string, Shape> | null {
  const network = networkFor(model, images)
  return network && new Map([...network.parameters, ...network.buffers].map(({ name, shape }) => [name, shape]))
}

/** Why a model can't be built for such images; null where it can, or is not known here. */
export function weightsFault(model: ModelRef, images: Images): string | null {
  try {
    weightShapes(model, images)
    return null
  } catch (error) {
    return `model ${model.id}: ${(error as Error).message}`
  }
}

function networkFor({ id, params }: ModelRef, { channels, height, width, classes }: Images): Variables | null {
  const inputShape = [channels, height, width]
  const classifier = classifying[id]
  if (classifier) {
    // What pixels are divided by is a constant of the graph and no weight.
    const normalization = { mean: Array<number>(channels).fill(0), std: Array<number>(channels).fill(1) }
    const own = classifier.params.parse(params)
    return networkOf(inputShape, classes, (scope, x) => classifier.build(scope, x, { classes, normalization }, own))
  }
  const denoiser = denoising[id]
  if (!denoiser) return null
  const own = denoiser.params.parse(params)
  return denoiserNetworkOf(inputShape, classes, (scope, inputs) => denoiser.build(scope, inputs, { classes }, own))
}
