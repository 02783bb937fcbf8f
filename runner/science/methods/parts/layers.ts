/** Layers of a network as methods see them: its parameters in the order of the forward pass, cut where the next matrix or kernel
 *  begins. What has one axis (a bias, a norm's scale and shift) belongs to the layer before it, and so do tokens and positions. */
import { z } from 'zod'
import { UnfitError } from '../../method.ts'
import { sgd } from '../../tasks/classification/vocabulary.ts'
import type { Parameter } from '../../weights.ts'

/** Parameters of both methods on the last layers. */
export const onLastLayers = sgd.extend({
  layers: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe(
      'k: how many of the last layers move, each a convolution or a linear map with the norm after it; 1 is the classifier alone.',
    ),
})

/** Learned numbers that are added and multiply nothing, as timm and torchvision name them. */
const BESIDE = /(^|\.)(cls_token|pos_embed|relative_position_bias_table)$/

export function layersOf(parameters: readonly Parameter[]): Parameter[][] {
  const layers: Parameter[][] = []
  for (const parameter of parameters) {
    const begins = parameter.shape.length > 1 && !BESIDE.test(parameter.name)
    if (begins || layers.length === 0) layers.push([parameter])
    else layers.at(-1)!.push(parameter)
  }
  return layers
}

/** The last `count` layers. Throws UnfitError where there are fewer. */
export function lastLayers(parameters: readonly Parameter[], count: number): Parameter[][] {
  const layers = layersOf(parameters)
  if (count > layers.length)
    throw new UnfitError(`layers: expected at most ${layers.length}, which is all that this model has, got ${count}`)
  return layers.slice(-count)
}

/** Those parameters of a layer that belong to its matrix or kernel, without a norm that follows it: what shares the first part of
 *  its name. */
export function ownOf([first, ...rest]: readonly Parameter[]): Parameter[] {
  const moduleOf = ({ name }: Parameter) => name.slice(0, name.lastIndexOf('.') + 1)
  return first ? [first, ...rest.filter((other) => moduleOf(other) === moduleOf(first))] : []
}

/** The layer that gives the logits. Throws UnfitError where it is no matrix with a row, or a column, for each class. */
export function lastLayer(parameters: readonly Parameter[], classes: number): { layer: Parameter[]; features: number } {
  const [layer] = lastLayers(parameters, 1) as [Parameter[]]
  const { name, shape } = layer[0]!
  if (shape.length !== 2 || !shape.includes(classes))
    throw new UnfitError(
      `expected a last layer of [${classes}, features], got ${name} [${shape}]; choose a model that ends in one`,
    )
  return { layer, features: shape[0] === classes ? shape[1]! : shape[0]! }
}
