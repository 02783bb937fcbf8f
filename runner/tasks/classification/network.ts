/** From a benchmark's model to a classifier on its data. */
import { EXPORTED } from '../../../schema/parts/model-file.ts'
import type { ModelRef } from '../../../schema/parts/recipe.ts'
import type { ModelDefinition } from '../../engine/nn/model.ts'
import * as models from '../../engine/nn/models/index.ts'
import { type Network, networkOf } from '../../engine/nn/network.ts'
import { checkModelClasses } from '../../stages/check-classes.ts'
import { ConfigurationError } from '../../stages/configuration-error.ts'
import type { LoadedData } from '../../stages/data.ts'
import type { StageContext } from '../../stages/stage.ts'
import { type Classifier, exportedClassifier } from './exported.ts'

const architectures: Record<string, ModelDefinition> = models

/** The network of a model on a dataset; `where` is the model's place in a benchmark. Throws for an unknown model, a parameter out
 *  of range, or another number of classes than the dataset has. */
export function networkFor(model: ModelRef, { dataset, definition }: LoadedData, where = 'model'): Network {
  const architecture = architectures[model.id]
  if (!architecture)
    throw new ConfigurationError(`unknown model ${model.id}; known: ${Object.keys(architectures).join(', ')}`)
  const params = architecture.params.parse(model.params)
  checkModelClasses(model, dataset, where)
  const classes = dataset.classes.length
  return networkOf([dataset.channels, dataset.height, dataset.width], classes, (scope, x) =>
    architecture.build(scope, x, { classes, normalization: definition.normalization }, params),
  )
}

/** The same, or the classifier of a file. */
export async function classifierFor(
  model: ModelRef,
  loaded: LoadedData,
  context: Pick<StageContext, 'places'>,
): Promise<Classifier> {
  if (model.id === EXPORTED) return await exportedClassifier(model, loaded.dataset, context)
  return { network: networkFor(model, loaded) }
}
