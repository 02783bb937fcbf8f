/** The update of all parameters in one step of a program, with or without a mask. */
import { addInput, type Graph, type Value } from '../onnx/graph.ts'
import type { Groups } from '../onnx/loop.ts'
import type { Ops } from '../onnx/ops.ts'
import type { Shape } from '../onnx/tensor.ts'
import type { Bundles } from './bundles.ts'
import type { Optimizer } from './optimizers.ts'

/** `gradient` masks gradients alone, so that weight decay and momentum still move every entry; `hard` freezes those outside. */
export type MaskKind = 'none' | 'gradient' | 'hard'

export interface StepContext {
  optimizer: Optimizer
  /** One per bundle; the slots of the optimizer by name. */
  weights: readonly Value[]
  gradients: readonly Value[]
  slots: Groups
  mask: MaskKind
  /** 1 or 0 for every entry; null without a mask. */
  factors: readonly Value[] | null
  rate: Value
  step: Value
}

/** The next weights and slots. */
export function updateBundles(
  ops: Ops,
  { optimizer, weights, gradients, slots, mask, factors, rate, step }: StepContext,
): { weights: Value[]; slots: Record<string, Value[]> } {
  const next: Record<string, Value[]> = Object.fromEntries(optimizer.slots.map((slot) => [slot, []]))
  const moved = weights.map((parameter, i) => {
    const masked = (kind: MaskKind, value: Value) => (mask === kind && factors ? ops.Mul(value, factors[i]!) : value)
    const update = optimizer.update({
      ops,
      parameter,
      gradient: masked('gradient', gradients[i]!),
      slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, slots[slot]![i]!])),
      rate,
      step,
    })
    for (const slot of optimizer.slots) next[slot]!.push(masked('hard', update.slots[slot]!))
    return ops.Sub(parameter, masked('hard', update.change))
  })
  return { weights: moved, slots: next }
}

/** Declares a mask for each tensor; gives 1 or 0 for every entry of each bundle. */
export function maskFactors(
  graph: Graph,
  ops: Ops,
  bundles: Bundles,
  masks: readonly { name: string; shape: Shape }[],
): Value[] {
  const inputs = masks.map(({ name, shape }) => addInput(graph, name, 'bool', shape))
  return bundles.pack(ops, inputs).map((packed) => ops.Cast(packed, 'float32'))
}
