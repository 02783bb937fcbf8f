/** Activations: cases of their gradients. */
import { any, apart, type Case, node, unary } from './case.ts'

export const activation: Record<string, Case[]> = {
  Relu: unary('Relu', apart(3, 6)),
  LeakyRelu: [
    ['', [apart(3, 6)], node('LeakyRelu')],
    ['alpha', [apart(3, 6)], node('LeakyRelu', { alpha: 0.3 })],
  ],
  PRelu: [
    ['a slope per channel', [apart(2, 3, 4), any(3, 1)], node('PRelu')],
    ['one slope', [apart(2, 4), any(1)], node('PRelu')],
  ],
  Elu: [
    ['', [apart(3, 6)], node('Elu')],
    ['alpha', [apart(3, 6)], node('Elu', { alpha: 0.7 })],
  ],
  Selu: unary('Selu', apart(3, 6)),
  Sigmoid: unary('Sigmoid', any(2, 3)),
  Tanh: unary('Tanh', any(2, 3)),
  Softplus: [['', [any(2, 3)], (ops, x) => ops.Softplus(x!)]],
  HardSigmoid: [
    ['', [any(2, 6)], node('HardSigmoid')],
    ['steep', [apart(4, 8)], node('HardSigmoid', { alpha: 0.6, beta: 0.4 })],
  ],
  HardSwish: [['', [apart(4, 8)], (ops, x) => ops.emit('HardSwish', [ops.Mul(x!, 2)])]],
  Gelu: [
    ['', [any(2, 3)], node('Gelu')],
    ['by tanh', [any(2, 3)], node('Gelu', { approximate: 'tanh' })],
  ],
}
