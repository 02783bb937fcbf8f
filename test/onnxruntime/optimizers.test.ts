/** Optimizers move parameters as PyTorch's do (test/golden/optimizers/make.py). */
import { expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, numbersOf, type Tensor, zeros } from '../../runner/engine/onnx/tensor.ts'
import { clipByGlobalNorm, optimizerOf } from '../../runner/engine/training/optimizers.ts'
import { optimizer as optimizerSpec } from '../../schema/parts/recipe.ts'
import { goldenJson } from '../runner/golden.ts'
import { uniforms } from './uniform.ts'

interface Case {
  options: {
    momentum?: number
    nesterov?: boolean
    betas?: [number, number]
    eps?: number
    weight_decay: number
  }
  clip: number | null
  trace: number[][]
}

/** PyTorch's options under the names of a benchmark. */
const specOf = (name: string, { momentum, nesterov, betas, eps, weight_decay: weightDecay }: Case['options']) =>
  optimizerSpec.parse(
    betas
      ? { kind: name.split(' ')[0], beta1: betas[0], beta2: betas[1], epsilon: eps, weightDecay }
      : { kind: 'sgd', momentum, nesterov, weightDecay },
  )

const cases = Object.entries(goldenJson('optimizers/reference.json') as Record<string, Case>)

test.each(cases)('%s', async (name, { options, clip, trace }) => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const [a, b] = [addInput(graph, 'a', 'float32', [2, 3]), addInput(graph, 'b', 'float32', [3])]
  const [rate, step] = [addInput(graph, 'rate', 'float32', []), addInput(graph, 'step', 'float32', [])]
  const c = ops.constant(floats([2, 3], uniforms(43, 6, 0.5, 2)))
  // 0.5 * sum(c * a^2) + sum(b^4) / 4 + sum(a[0] * b)
  const quadratic = ops.ReduceSum(ops.Mul(ops.Mul(c, ops.Mul(a, a)), 0.5), [0, 1], 0)
  const quartic = ops.ReduceSum(ops.Div(ops.Pow(b, 4), 4), [0], 0)
  const product = ops.ReduceSum(ops.Mul(ops.Gather(a, ops.scalar('int64', 0)), b), [0], 0)
  const found = differentiate(graph, ops.Add(ops.Add(quadratic, quartic), product), [a, b])
  const gradients = clip === null ? found : clipByGlobalNorm(ops, found, clip)
  const optimizer = optimizerOf(specOf(name, options))
  let state: Record<string, Tensor> = {
    a: floats([2, 3], uniforms(41, 6, -1, 1)),
    b: floats([3], uniforms(42, 3, -1, 1)),
  }
  for (const [i, parameter] of [a, b].entries()) {
    const names = optimizer.slots.map((slot) => `${parameter.name}:${slot}`)
    const slots = Object.fromEntries(
      optimizer.slots.map((slot, k) => [slot, addInput(graph, names[k]!, 'float32', parameter.shape)]),
    )
    for (const slot of names) state[slot] = zeros(parameter.shape)
    const next = optimizer.update({ ops, parameter, gradient: gradients[i]!, slots, rate, step })
    addOutput(graph, `next/${parameter.name}`, ops.Sub(parameter, next.change))
    for (const [slot, value] of Object.entries(next.slots)) addOutput(graph, `next/${parameter.name}:${slot}`, value)
  }

  const session = await openSession(graph, { threads: 1 })
  for (const [taken, expected] of trace.entries()) {
    const outputs = await session.run({
      ...state,
      rate: floats([], [0.1 * (1 - taken / 10)]),
      step: floats([], [taken]),
    })
    state = Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key.slice('next/'.length), value]))
    const difference = [...numbersOf(state.a!), ...numbersOf(state.b!)].map((entry, i) => entry - expected[i]!)
    expect(Math.hypot(...difference) / Math.hypot(...expected)).toBeLessThan(1e-6)
  }
  await session.release()
})
