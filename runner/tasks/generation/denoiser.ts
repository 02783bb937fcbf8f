/** From a benchmark's model to a denoiser on its data. */
import type { ModelRef } from '../../../schema/parts/recipe.ts'
import type { DenoiserDefinition } from '../../engine/nn/denoiser.ts'
import { type DenoiserNetwork, denoiserNetworkOf } from '../../engine/nn/denoiser-network.ts'
import * as denoisers from '../../engine/nn/denoisers/index.ts'
import { built } from '../../stages/built.ts'
import { checkModelClasses } from '../../stages/check-classes.ts'
import { ConfigurationError } from '../../stages/configuration-error.ts'
import type { LoadedData } from '../../stages/data.ts'

const denoising: Record<string, DenoiserDefinition> = denoisers

/** The denoiser of a dataset, and which of its parameters the class enters by. */
export function denoiserFor(
  model: ModelRef,
  { dataset }: LoadedData,
): { network: DenoiserNetwork; conditions(parameter: string): boolean } {
  const architecture = denoising[model.id]
  if (!architecture)
    throw new ConfigurationError(`unknown denoiser ${model.id}; known: ${Object.keys(denoising).join(', ')}`)
  const params = architecture.params.parse(model.params)
  checkModelClasses(model, dataset, 'model')
  const classes = dataset.classes.length
  const inputShape = [dataset.channels, dataset.height, dataset.width]
  const network = built(model, 'model', () =>
    denoiserNetworkOf(inputShape, classes, (scope, inputs) => architecture.build(scope, inputs, { classes }, params)),
  )
  return { network, conditions: architecture.conditions }
}
