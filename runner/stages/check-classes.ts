/** What is made for other classes than a dataset has ends in a ConfigurationError. */
import type { Benchmark } from '../../schema/benchmark.ts'
import type { ForgetRequest, ModelRef } from '../../schema/parts/recipe.ts'
import { classesFault, type Known, modelClassesFault, requestFault } from '../science/class-fault.ts'
import { ConfigurationError } from './configuration-error.ts'

const refuse = (fault: string | null): void => {
  if (fault !== null) throw new ConfigurationError(fault)
}

export const checkRequest = (request: ForgetRequest, dataset: Known): void => refuse(requestFault(request, dataset))

/** `where` is the model's place in the benchmark. */
export const checkModelClasses = (model: ModelRef, dataset: Known, where: string): void =>
  refuse(modelClassesFault(model, dataset, where))

/** All of a benchmark at once, before anything is computed. */
export const checkClasses = (benchmark: Benchmark, dataset: Known): void => refuse(classesFault(benchmark, dataset))
