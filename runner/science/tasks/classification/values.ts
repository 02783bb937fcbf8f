/** Makes what a loss of a classifier may look at. Imports nothing that runs, so that a method in a sandbox records with the same
 *  function. */
import type { Push } from '../../expression.ts'
import type { Answering, ClassifierValues } from './vocabulary.ts'

/** Makes those values while a loss is recorded. */
export function classifierValues(push: Push): ClassifierValues {
  const answer = (op: 'logits' | 'features', { of, images, evaluation = false }: Answering) =>
    push(op, images ? [images] : [], { net: of ? of.number : null, evaluation: evaluation || !!of })
  return {
    get images() {
      return push('images', [])
    },
    get labels() {
      return push('labels', [])
    },
    get uniform() {
      return push('uniform', [])
    },
    get factor() {
      return push('factor', [])
    },
    get logits() {
      return answer('logits', {})
    },
    logitsOf: (options) => answer('logits', options),
    featuresOf: (options) => answer('features', options),
  }
}
