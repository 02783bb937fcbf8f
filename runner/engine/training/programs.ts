/** Programs: graphs that take a network through many batches in one call. Each gathers its batches by index from images
 *  that stay where they are, and carries its state from step to step inside a Loop. */
import type { OptimizerSpec } from '../../../schema/parts/recipe.ts'
import { differentiate } from '../autodiff/differentiate.ts'
import type { Network } from '../nn/network.ts'
import { addInput, addOutput, type Graph, newGraph, type Value } from '../onnx/graph.ts'
import { loop, loopOverGroups } from '../onnx/loop.ts'
import { type Ops, opsFor } from '../onnx/ops.ts'
import { cropAndFlip, DRAWS } from './augment.ts'
import { bundlesOf } from './bundles.ts'
import { crossEntropy } from './losses.ts'
import { clipByGlobalNorm, optimizerOf } from './optimizers.ts'
import { softThreshold } from './proximal.ts'
import { type MaskKind, maskFactors, updateBundles } from './updates.ts'

/** What every program is compiled for. */
export interface DataShape {
  /** Number of images that stay resident. */
  images: number
  batch: number
  augment: boolean
}

export interface StepOptions {
  optimizer: OptimizerSpec
  clipNorm: number | null
  /** Climbs the loss. */
  ascend: boolean
  /** Adds `l1 * |theta|_1` to the loss; its weight comes with each step. */
  l1: boolean
  mask: MaskKind
  /** Soft-thresholds the change from the anchor; how many entries are undone comes with each step. */
  proximal: boolean
}

/** What a training step carries; the rest are slots. */
type Known = { weights: Value[]; buffers: Value[]; step: Value[]; [slot: string]: Value[] }

/** Slot tensors are named `parameter:slot`, masks and anchors likewise. */
export const slotName = (parameter: string, slot: string) => `${parameter}:${slot}`

/** Inputs that say which images each step sees: `plan` [steps, batch], `targets` [steps, batch], `draws` [steps, batch, 3]. */
function batchInputs(graph: Graph, { inputShape }: Network, { images, batch, augment }: DataShape) {
  const resident = addInput(graph, 'images', 'uint8', [images, ...inputShape])
  const plan = addInput(graph, 'plan', 'int64', [-1, batch])
  const draws = augment ? addInput(graph, 'draws', 'int64', [-1, batch, DRAWS]) : null
  return {
    steps: addInput(graph, 'steps', 'int64', []),
    /** The batch of one iteration, as pixels in [0, 1]. */
    gather(ops: Ops, iteration: Value): Value {
      const bytes = ops.Gather(resident, ops.Gather(plan, iteration))
      const seen = draws ? cropAndFlip(ops, bytes, ops.Gather(draws, iteration)) : bytes
      return ops.Mul(ops.Cast(seen, 'float32'), 1 / 255)
    },
  }
}

const variables = (graph: Graph, list: readonly { name: string; shape: readonly number[] }[]) =>
  list.map(({ name, shape }) => addInput(graph, name, 'float32', shape))

const named = (names: readonly { name: string }[], values: readonly Value[]) =>
  new Map(names.map(({ name }, i) => [name, values[i]!]))

/** Training: takes the state (parameters, buffers, optimizer slots, `step`) through the planned batches.
 *  Inputs: the state by name, `images`, `plan`, `targets`, `rates` [steps], and what the options ask for: `draws`,
 *  `l1` [steps], `undone` [steps], masks and anchors. Outputs: the next state as `next/<name>`, and `losses` [steps]. */
export function trainProgram(network: Network, data: DataShape, options: StepOptions): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const batches = batchInputs(graph, network, data)
  const targets = addInput(graph, 'targets', 'int64', [-1, data.batch])
  const rates = addInput(graph, 'rates', 'float32', [-1])
  const l1 = options.l1 ? addInput(graph, 'l1', 'float32', [-1]) : null
  const undone = options.proximal ? addInput(graph, 'undone', 'int64', [-1]) : null
  const optimizer = optimizerOf(options.optimizer)
  const { parameters, buffers } = network
  const bundles = bundlesOf(parameters)
  const perParameter = (slot: string) => parameters.map(({ name, shape }) => ({ name: slotName(name, slot), shape }))
  const packed = (slot: string) => bundles.pack(ops, variables(graph, perParameter(slot)))
  const factors = options.mask === 'none' ? null : maskFactors(graph, ops, bundles, perParameter('mask'))
  const anchors = options.proximal ? packed('anchor') : null
  const state = {
    weights: bundles.pack(ops, variables(graph, parameters)),
    buffers: variables(graph, buffers),
    step: variables(graph, [{ name: 'step', shape: [] }]),
    ...Object.fromEntries(optimizer.slots.map((slot) => [slot, packed(slot)])),
  }

  const { carried, scans } = loopOverGroups(ops, batches.steps, state, (ops, iteration, current) => {
    const {
      weights: held,
      buffers: running,
      step: [step],
      ...slots
    } = current as Known
    const weights = bundles.unpack(ops, held)
    const known = named([...parameters, ...buffers], [...weights, ...running])
    const { logits, updates } = network.forward(ops, batches.gather(ops, iteration), known, true)
    const loss = crossEntropy(ops, logits, ops.Gather(targets, iteration))
    let gradients = bundles.pack(ops, differentiate(ops.graph, options.ascend ? ops.Neg(loss) : loss, weights))
    if (l1) {
      const strength = ops.Gather(l1, iteration)
      gradients = gradients.map((gradient, i) => ops.Add(gradient, ops.Mul(ops.Sign(held[i]!), strength)))
    }
    if (options.clipNorm) gradients = clipByGlobalNorm(ops, gradients, options.clipNorm)
    const { mask } = options
    const rate = ops.Gather(rates, iteration)
    const next = updateBundles(ops, { optimizer, weights: held, gradients, slots, mask, factors, rate, step: step! })
    const moved =
      anchors && undone ? softThreshold(ops, next.weights, anchors, ops.Gather(undone, iteration)) : next.weights
    const nextBuffers = buffers.map(({ name }) => updates.get(name) ?? known.get(name)!)
    return {
      carried: { weights: moved, buffers: nextBuffers, step: [ops.Add(step!, 1)], ...next.slots },
      scans: [loss],
    }
  })
  const give = (names: readonly { name: string }[], values: readonly Value[]) =>
    names.forEach(({ name }, i) => void addOutput(graph, `next/${name}`, values[i]!))
  give(parameters, bundles.unpack(ops, carried.weights!))
  give(buffers, carried.buffers!)
  for (const slot of optimizer.slots) give(perParameter(slot), bundles.unpack(ops, carried[slot]!))
  give([{ name: 'step' }], carried.step!)
  addOutput(graph, 'losses', scans[0]!)
  return graph
}

/** Sums the gradients of the mean cross-entropy over batches, in evaluation mode: what saliency is made of.
 *  Inputs: the variables, `images`, `plan`, `targets`, `draws`, and the sums so far as `<parameter>:sum`.
 *  Outputs: the sums as `next/<parameter>:sum`. */
export function saliencyProgram(network: Network, data: DataShape): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const batches = batchInputs(graph, network, data)
  const targets = addInput(graph, 'targets', 'int64', [-1, data.batch])
  const { parameters, buffers } = network
  const weights = variables(graph, parameters)
  const known = named([...parameters, ...buffers], [...weights, ...variables(graph, buffers)])
  const sums = parameters.map(({ name, shape }) => ({ name: slotName(name, 'sum'), shape }))
  const bundles = bundlesOf(parameters)
  const { carried } = loop(ops, batches.steps, bundles.pack(ops, variables(graph, sums)), (ops, iteration, values) => {
    // The walk needs the weights as values of the body.
    const inside = new Map([...known].map(([name, value]) => [name, ops.Identity(value)]))
    const { logits } = network.forward(ops, batches.gather(ops, iteration), inside, false)
    const loss = crossEntropy(ops, logits, ops.Gather(targets, iteration))
    const wrt = parameters.map(({ name }) => inside.get(name)!)
    const gradients = bundles.pack(ops, differentiate(ops.graph, loss, wrt))
    return { carried: values.map((sum, i) => ops.Add(sum, gradients[i]!)), scans: [] }
  })
  const totals = bundles.unpack(ops, carried)
  sums.forEach(({ name }, i) => {
    addOutput(graph, `next/${name}`, totals[i]!)
  })
  return graph
}

/** Answers: the logits of each planned image, in evaluation mode. Inputs: the variables, `images`, `plan`; output `logits`
 *  [steps, batch, classes]. */
export function answersProgram(network: Network, data: Omit<DataShape, 'augment'>): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const batches = batchInputs(graph, network, { ...data, augment: false })
  const all = [...network.parameters, ...network.buffers]
  const known = named(all, variables(graph, all))
  const { scans } = loop(ops, batches.steps, [], (ops, iteration) => ({
    carried: [],
    scans: [network.forward(ops, batches.gather(ops, iteration), known, false).logits],
  }))
  addOutput(graph, 'logits', scans[0]!)
  return graph
}
