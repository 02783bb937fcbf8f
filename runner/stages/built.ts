/** A model that cannot be built on its data ends a stage as a fault of the benchmark. */
import type { ModelRef } from '../../schema/parts/recipe.ts'
import { ConfigurationError } from './configuration-error.ts'

/** Builds a network. Parameters that don't fit the images of a dataset are a fault of the benchmark, which no retry mends: they end in
 *  a ConfigurationError that says what doesn't fit. `where` is the model's place in the benchmark. */
export function built<Network>({ id }: ModelRef, where: string, build: () => Network): Network {
  try {
    return build()
  } catch (error) {
    throw new ConfigurationError(`${where} (${id}): ${(error as Error).message}`)
  }
}
