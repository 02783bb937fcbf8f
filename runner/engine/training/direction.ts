/** The direction of a step that a method combines by itself, of the losses and gradients of its terms, here and at other weights. */
import { ExpressionError, type ExprNode, type Recording } from '../../science/expression.ts'
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Bundles } from './bundles.ts'
import { buildPack, type Compiled } from './compile.ts'

export interface Surroundings {
  /** The weights of the step, a tensor for each bundle. */
  held: readonly Value[]
  /** Of each term. */
  losses: readonly Value[]
  bundles: Bundles
  /** Gradient of a loss for the weights that it was built with, those of the step unless others are given. */
  gradientOf(loss: Value, at?: readonly Value[]): Value[]
  /** The loss of a term's batch at other weights. */
  lossElsewhere(term: number, weights: readonly Value[]): Value
  /** Values that all expressions of a step know. */
  shared(node: ExprNode): Compiled | null
}

export function directionOf(
  ops: Ops,
  recording: Recording,
  { held, losses, bundles, gradientOf, lossElsewhere, shared }: Surroundings,
): readonly Value[] {
  const gradients = new Map<number, Value[]>()
  const elsewhere = new Map<Compiled, Map<number, { at: Value[]; loss: Value; gradient?: Value[] }>>()
  const gradientHere = (k: number) => {
    const known = gradients.get(k) ?? gradientOf(losses[k]!)
    gradients.set(k, known)
    return known
  }
  const at = (k: number, weights: Compiled) => {
    const terms = elsewhere.get(weights) ?? new Map()
    elsewhere.set(weights, terms)
    if (!terms.has(k)) {
      const values = bundles.unpack(ops, weights as readonly Value[])
      terms.set(k, { at: values, loss: lossElsewhere(k, values) })
    }
    return terms.get(k)!
  }
  return buildPack(ops, recording, (node, [weights]) => {
    const k = node.with.term as number
    if (k !== undefined && !(k in losses)) throw new ExpressionError(`expected a term below ${losses.length}, got ${k}`)
    switch (node.op) {
      case 'weights':
        return held
      case 'loss':
        return losses[k]!
      case 'gradientOf':
        return gradientHere(k)
      case 'lossAt':
        return at(k, weights!).loss
      case 'gradientAt': {
        const found = at(k, weights!)
        found.gradient ??= gradientOf(found.loss, found.at)
        return found.gradient
      }
      default:
        return shared(node)
    }
  })
}
