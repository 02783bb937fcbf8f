/** Recurrent layers: cases. */
import { int, string } from '../../../runner/engine/onnx/graph.ts'
import { any } from '../gradient-cases/case.ts'
import type { Case } from './case.ts'

const [STEPS, BATCH, WIDTH, HIDDEN] = [3, 2, 4, 3]

/** X, W, R and B of a layer with so many gates. */
const layer = (gates: number, directions = 1) => [
  any(STEPS, BATCH, WIDTH),
  any(directions, gates * HIDDEN, WIDTH),
  any(directions, gates * HIDDEN, HIDDEN),
  any(directions, 2 * gates * HIDDEN),
]
const both = string('bidirectional')
const common = (gates: number, outputs: number): Case[] => [
  {
    title: 'with biases',
    inputs: layer(gates),
    attributes: { hidden_size: int(HIDDEN) },
    outputs,
    kernel: true,
  },
  {
    title: 'without biases',
    inputs: layer(gates).slice(0, 3),
    attributes: { hidden_size: int(HIDDEN) },
    outputs,
    kernel: true,
  },
  {
    title: 'backwards',
    inputs: layer(gates),
    attributes: { hidden_size: int(HIDDEN), direction: string('reverse') },
    outputs,
    kernel: true,
  },
  {
    title: 'in both directions',
    inputs: layer(gates, 2),
    attributes: { hidden_size: int(HIDDEN), direction: both },
    outputs,
    kernel: true,
  },
  {
    title: 'batch first, in both directions',
    inputs: [any(BATCH, STEPS, WIDTH), ...layer(gates, 2).slice(1)],
    attributes: { hidden_size: int(HIDDEN), layout: int(1), direction: both },
    outputs,
  },
]

/** The initial states stand after sequence_lens, which is absent. */
const started = (gates: number, directions: number, states: number) => {
  const inputs = layer(gates, directions)
  return { inputs: [...inputs, null, ...Array.from({ length: states }, () => any(directions, BATCH, HIDDEN))] }
}

export const recurrent: Record<string, Case[]> = {
  RNN: [
    ...common(1, 2),
    {
      title: 'with another activation, bounded',
      inputs: layer(1),
      attributes: {
        hidden_size: int(HIDDEN),
        activations: { kind: 'strings', value: ['Softsign'] },
      },
      outputs: 2,
      kernel: true,
    },
    { title: 'from a state', ...started(1, 1, 1), attributes: { hidden_size: int(HIDDEN) }, outputs: 2, kernel: true },
  ],
  GRU: [
    ...common(3, 2),
    {
      title: 'that resets after the product',
      inputs: layer(3),
      attributes: { hidden_size: int(HIDDEN), linear_before_reset: int(1) },
      outputs: 2,
      kernel: true,
    },
    {
      title: 'from a state in both directions',
      ...started(3, 2, 1),
      attributes: { hidden_size: int(HIDDEN), direction: both, linear_before_reset: int(1) },
      outputs: 2,
      kernel: true,
    },
  ],
  LSTM: [
    ...common(4, 3),
    {
      title: 'from a state and a cell in both directions',
      ...started(4, 2, 2),
      attributes: { hidden_size: int(HIDDEN), direction: both },
      outputs: 3,
      kernel: true,
    },
    {
      title: 'with peepholes',
      inputs: [...started(4, 1, 2).inputs, any(1, 3 * HIDDEN)],
      attributes: { hidden_size: int(HIDDEN) },
      outputs: 3,
      kernel: true,
    },
    {
      title: 'that forgets what it takes',
      inputs: layer(4),
      attributes: { hidden_size: int(HIDDEN), input_forget: int(1) },
      outputs: 3,
      kernel: true,
    },
  ],
}
