/** Optimizers: functions that add the update of one bundle of parameters to a step's graph. */
import type { OptimizerSpec } from '../../../schema/parts/recipe.ts'
import type { Value } from '../onnx/graph.ts'
import type { Ops } from '../onnx/ops.ts'

export interface UpdateContext {
  ops: Ops
  parameter: Value
  gradient: Value
  /** Slots beside these parameters, by slot name; each starts at 0. */
  slots: Record<string, Value>
  /** Learning rate of this step, a scalar. */
  rate: Value
  /** Steps taken before this one, a float scalar. */
  step: Value
}

export interface Update {
  /** What is taken off the parameter. */
  change: Value
  slots: Record<string, Value>
}

export interface Optimizer {
  /** Names of the tensors it keeps beside each parameter. */
  slots: string[]
  update(context: UpdateContext): Update
}

/** SGD as PyTorch defines it: g += wd * theta; v = momentum * v + g; theta -= rate * (nesterov ? g + momentum * v : v). */
function sgd({ momentum, weightDecay, nesterov }: Extract<OptimizerSpec, { kind: 'sgd' }>): Optimizer {
  return {
    slots: momentum > 0 ? ['momentum'] : [],
    update({ ops, parameter, gradient, slots, rate }) {
      const decayed = weightDecay > 0 ? ops.Add(gradient, ops.Mul(parameter, weightDecay)) : gradient
      const velocity = slots.momentum ? ops.Add(ops.Mul(slots.momentum, momentum), decayed) : decayed
      const direction = nesterov ? ops.Add(decayed, ops.Mul(velocity, momentum)) : velocity
      return { change: ops.Mul(direction, rate), slots: momentum > 0 ? { momentum: velocity } : {} }
    },
  }
}

/** Adam (https://arxiv.org/abs/1412.6980); `adamw` decays the weights apart from the gradient
 *  (https://arxiv.org/abs/1711.05101). */
function adam({
  kind,
  beta1,
  beta2,
  epsilon,
  weightDecay,
}: Extract<OptimizerSpec, { kind: 'adam' | 'adamw' }>): Optimizer {
  return {
    slots: ['first', 'second'],
    update({ ops, parameter, gradient, slots, rate, step: taken }) {
      const coupled = kind === 'adam' && weightDecay > 0
      const g = coupled ? ops.Add(gradient, ops.Mul(parameter, weightDecay)) : gradient
      const first = ops.Add(ops.Mul(slots.first!, beta1), ops.Mul(g, 1 - beta1))
      const second = ops.Add(ops.Mul(slots.second!, beta2), ops.Mul(ops.Mul(g, g), 1 - beta2))
      // In double precision: 1 - 0.999 has lost five of its digits in single.
      const count = ops.Cast(ops.Add(taken, 1), 'float64')
      const unbias = (beta: number) => ops.Cast(ops.Sub(1, ops.Pow(beta, count)), 'float32')
      const scale = ops.Div(ops.Sqrt(second), ops.Sqrt(unbias(beta2)))
      const step = ops.Mul(ops.Div(rate, unbias(beta1)), ops.Div(first, ops.Add(scale, epsilon)))
      const decays = kind === 'adamw' && weightDecay > 0
      return {
        change: decays ? ops.Add(step, ops.Mul(parameter, ops.Mul(rate, weightDecay))) : step,
        slots: { first, second },
      }
    },
  }
}

export const optimizerOf = (spec: OptimizerSpec): Optimizer => (spec.kind === 'sgd' ? sgd(spec) : adam(spec))

/** Scales gradients together so that their global norm is at most `maxNorm` (PyTorch's clip_grad_norm_). */
export function clipByGlobalNorm(ops: Ops, gradients: Value[], maxNorm: number): Value[] {
  const squares = gradients.map((gradient) =>
    ops.ReduceSumSquare(
      gradient,
      gradient.shape.map((_, axis) => axis),
      0,
    ),
  )
  const norm = ops.Sqrt(squares.reduce((sum, square) => ops.Add(sum, square)))
  const scale = ops.Min(1, ops.Div(maxNorm, ops.Add(norm, 1e-6)))
  return gradients.map((gradient) => ops.Mul(gradient, scale))
}
