/** Makes the values of expressions over all weights while they are recorded. Imports nothing that runs, so that a method in a sandbox
 *  records with the same functions. */
import type { Expr, Push } from './expression.ts'
import type { DirectionValues, WeightValues } from './method.ts'

/** What a penalty, and what becomes of weights after a step, may look at. */
export function weightValues(push: Push): WeightValues {
  return {
    get weights() {
      return push('weights', [])
    },
    weightsOf: ({ number }) => push('weightsOf', [], { kept: number }),
  }
}

/** What a direction may look at. */
export function directionValues(push: Push): DirectionValues {
  return Object.defineProperties(
    {
      loss: (term: number) => push('loss', [], { term }),
      gradient: (term: number) => push('gradientOf', [], { term }),
      lossAt: (term: number, weights: Expr) => push('lossAt', [weights], { term }),
      gradientAt: (term: number, weights: Expr) => push('gradientAt', [weights], { term }),
    },
    Object.getOwnPropertyDescriptors(weightValues(push)),
  ) as DirectionValues
}
