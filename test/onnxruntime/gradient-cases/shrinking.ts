/** Activations with a threshold, or that flatten out: cases of their gradients. */
import { apart, type Case, node, unary } from './case.ts'

export const shrinking: Record<string, Case[]> = {
  ThresholdedRelu: [
    ['', [apart(4, 4)], node('ThresholdedRelu')],
    ['alpha', [apart(4, 4)], node('ThresholdedRelu', { alpha: 0.5 })],
  ],
  Softsign: unary('Softsign', apart(3, 4)),
  Celu: [
    ['', [apart(3, 6)], node('Celu')],
    ['alpha', [apart(3, 6)], node('Celu', { alpha: 2 })],
  ],
  Hardmax: [['beside its input', [apart(3, 4)], (ops, x) => [ops.emit('Hardmax', [x!])[0], x!]]],
}
