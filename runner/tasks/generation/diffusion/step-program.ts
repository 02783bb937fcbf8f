/** Training steps of a denoiser: a graph that takes it through many batches in one call. The loss of a step is a weighted sum of
 *  terms, each with batches of its own. */
import type { OptimizerSpec } from '../../../../schema/parts/recipe.ts'
import { differentiate } from '../../../engine/autodiff/differentiate.ts'
import { normals, uniformSource } from '../../../engine/nn/counter-random.ts'
import type { DenoiserNetwork } from '../../../engine/nn/denoiser-network.ts'
import { addInput, addOutput, type Graph, newGraph, type Value } from '../../../engine/onnx/graph.ts'
import { loop, loopOverGroups } from '../../../engine/onnx/loop.ts'
import { type Ops, opsFor } from '../../../engine/onnx/ops.ts'
import type { Shape } from '../../../engine/onnx/tensor.ts'
import { bundlesOf } from '../../../engine/training/bundles.ts'
import { clipByGlobalNorm, optimizerOf } from '../../../engine/training/optimizers.ts'
import { slotName } from '../../../engine/training/programs.ts'
import { type MaskKind, maskFactors, updateBundles } from '../../../engine/training/updates.ts'
import { diffuse, fromBytes, guided, type Reduction, squaredError } from './loss.ts'

export interface TermShape {
  /** Where x_t comes from: images of the dataset or of a set of its own, uniform noise in the place of an image, or `latents`,
   *  which are x_t already. */
  source: 'dataset' | 'own' | 'uniform' | 'latents'
  /** Images in the set of its own. */
  ownImages: number
  batch: number
  flip: boolean
  /** What the prediction under the term's class is compared with: the noise that was added, the network's own prediction under
   *  another class (no gradient passes), or a frozen network's prediction, guided away from the class. */
  target: 'noise' | 'other-class' | 'frozen-negative'
  /** η of `frozen-negative`: ε0_∅ − η (ε0_c − ε0_∅). */
  strength: number
  reduction: Reduction
  /** Factor of the term; below 0 its loss is climbed. */
  weight: number
}

export interface DenoiserStep {
  optimizer: OptimizerSpec
  clipNorm: number | null
  mask: MaskKind
  /** Decay of the moving average of the weights, which is carried beside them. */
  average: number | null
  /** Factor of sum F (θ − θ0)², with the importance F and the anchor θ0 of every weight. */
  elastic: number
  terms: TermShape[]
  /** Two-level step: terms[0] is the lower problem. */
  bilevel: Bilevel | null
}

/** The step descends L_1 + λ (L_0(θ) − L_0(θ')), where θ' is `inner` plain gradient steps on L_0 away and has no gradient. λ is
 *  the first term's weight, or, if `adaptive` is above 0, max(0, (adaptive q − <g_0, g_1>) / |g_0|²) with q = L_0(θ) − L_0(θ'). */
export interface Bilevel {
  inner: number
  innerRate: number
  adaptive: number
}

export interface DenoiserData {
  /** Images of the dataset that stay resident. */
  images: number
  alphaBars: Float64Array
}

/** Counters of a row's key at which dropout begins to draw; noise is drawn from 0. */
const DROPOUT = 2 ** 24
const DROPOUT_OF_TARGET = 2 ** 25

type Weights = ReadonlyMap<string, Value>
/** What a step carries; the rest are slots. */
type Known = { weights: Value[]; step: Value[]; [slot: string]: Value[] }

/** Inputs of one term, named `<what>.<k>`; gives a function that builds the term's loss in the body of the loop. */
function termInputs(
  graph: Graph,
  k: number,
  term: TermShape,
  denoiser: DenoiserNetwork,
  data: DenoiserData,
  dataset: () => Value,
) {
  const { batch, source, target } = term
  const shape = [batch, ...denoiser.inputShape]
  const perStep = (what: string, type: 'int64' | 'float32', rest: readonly number[]) =>
    addInput(graph, `${what}.${k}`, type, [-1, ...rest])
  const resident = source === 'dataset' ? dataset() : null
  const own =
    source === 'own' ? addInput(graph, `images.${k}`, 'uint8', [term.ownImages, ...denoiser.inputShape]) : null
  const items = resident || own ? perStep('items', 'int64', [batch]) : null
  const latents = source === 'latents' ? perStep('latents', 'float32', shape) : null
  const times = perStep('t', 'int64', [batch])
  const labels = perStep('labels', 'int64', [batch])
  const others = target === 'other-class' ? perStep('others', 'int64', [batch]) : null
  const keys = perStep('keys', 'int64', [batch, 2])
  const flips = term.flip ? perStep('flips', 'int64', [batch]) : null

  /** `still` weights have the values of `live` ones, but no gradient. */
  return (ops: Ops, iteration: Value, still: Weights, frozen: Weights | null): ((weights: Weights) => Value) => {
    const at = (input: Value) => ops.Gather(input, iteration)
    const t = at(times)
    const key = at(keys)
    const source = uniformSource(ops, key)
    const noise = latents ? null : normals(ops, source, shape)
    const clean = () => {
      const images = resident ?? own
      if (!images || !items) return ops.Sub(ops.Mul(source(shape), 2), 1)
      const pixels = fromBytes(ops, ops.Gather(images, at(items)))
      if (!flips) return pixels
      const mirrored = ops.Slice(pixels, [-1], [-1 - shape[3]!], [3], [-1])
      return ops.Where(ops.Reshape(ops.Equal(at(flips), 1), [batch, 1, 1, 1]), mirrored, pixels)
    }
    const x = latents ? at(latents) : diffuse(ops, data.alphaBars, clean(), noise!, t)
    const label = at(labels)
    const goal = (): Value => {
      if (target === 'noise') {
        if (!noise) throw new Error('latents carry no record of their noise; give the term another target')
        return noise
      }
      if (others)
        return denoiser.forward(ops, { x, t, labels: at(others) }, still, { keys: key, first: DROPOUT_OF_TARGET })
      if (!frozen) throw new Error('a frozen network is needed; anchor the weights first')
      // (1 + w) ε_c − w ε_∅ with w = −1 − η is ε_∅ − η (ε_c − ε_∅) .
      const predict = (inputs: Parameters<DenoiserNetwork['forward']>[1]) => denoiser.forward(ops, inputs, frozen)
      return guided(ops, predict, { x, t, labels: label }, { guidance: -1 - term.strength, classes: denoiser.classes })
    }
    const wanted = goal()
    return (weights) =>
      squaredError(
        ops,
        denoiser.forward(ops, { x, t, labels: label }, weights, { keys: key, first: DROPOUT }),
        wanted,
        term.reduction,
      )
  }
}

const named = (names: readonly { name: string }[], values: readonly Value[]) =>
  new Map(names.map(({ name }, i) => [name, values[i]!]))

const dot = (ops: Ops, a: readonly Value[], b: readonly Value[]): Value =>
  a
    .map((value, i) =>
      ops.ReduceSum(
        ops.Mul(value, b[i]!),
        value.shape.map((_, axis) => axis),
        0,
      ),
    )
    .reduce((sum, term) => ops.Add(sum, term))

/** Names of what a step carries: parameters, optimizer slots, the moving average and `step`. */
export function carriedBy({ parameters }: DenoiserNetwork, { optimizer, average }: DenoiserStep) {
  const beside = (slot: string) => parameters.map(({ name, shape }) => ({ name: slotName(name, slot), shape }))
  const slots = [...optimizerOf(optimizer).slots, ...(average === null ? [] : ['average'])]
  return [...parameters, ...slots.flatMap(beside), { name: 'step', shape: [] }]
}

/** Inputs: what is carried, by name; `images`; `rates` [steps]; those of the terms; masks, anchors and importances as the options
 *  ask. Outputs: `next/<name>` of what is carried and `losses` [steps, terms]. */
export function denoiserProgram(denoiser: DenoiserNetwork, data: DenoiserData, options: DenoiserStep): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const { parameters } = denoiser
  const { terms, elastic, average, bilevel } = options
  let images: Value | undefined
  const dataset = () => {
    images ??= addInput(graph, 'images', 'uint8', [data.images, ...denoiser.inputShape])
    return images
  }
  const steps = addInput(graph, 'steps', 'int64', [])
  const rates = addInput(graph, 'rates', 'float32', [-1])
  const builders = terms.map((term, k) => termInputs(graph, k, term, denoiser, data, dataset))
  const bundles = bundlesOf(parameters)
  const beside = (slot: string) => parameters.map(({ name, shape }) => ({ name: slotName(name, slot), shape }))
  const declared = (list: readonly { name: string; shape: Shape }[]) =>
    list.map(({ name, shape }) => addInput(graph, name, 'float32', shape))
  const packed = (slot: string) => bundles.pack(ops, declared(beside(slot)))
  const factors = options.mask === 'none' ? null : maskFactors(graph, ops, bundles, beside('mask'))
  const needsAnchors = elastic > 0 || terms.some(({ target }) => target === 'frozen-negative')
  const anchors = needsAnchors ? packed('anchor') : null
  const importances = elastic > 0 ? packed('importance') : null
  const optimizer = optimizerOf(options.optimizer)
  const slotNames = [...optimizer.slots, ...(average === null ? [] : ['average'])]
  const state = {
    weights: bundles.pack(ops, declared(parameters)),
    step: declared([{ name: 'step', shape: [] }]),
    ...Object.fromEntries(slotNames.map((slot) => [slot, packed(slot)])),
  }
  const frozen = anchors && named(parameters, bundles.unpack(ops, anchors))

  const { carried, scans } = loopOverGroups(ops, steps, state, (ops, iteration, current) => {
    const {
      weights,
      step: [step],
      ...slots
    } = current as Known
    const still = named(parameters, bundles.unpack(ops, weights))
    const losses = builders.map((build) => build(ops, iteration, still, frozen))
    // The walk follows copies of the weights, so that what is computed from the weights themselves has no gradient.
    const copies = [...still.values()].map((weight) => ops.Identity(weight))
    const here = losses.map((loss) => loss(named(parameters, copies)))
    const gradientOf = (loss: Value, at = copies) => bundles.pack(ops, differentiate(ops.graph, loss, at))

    const weighted = () => {
      const total = here.map((loss, k) => ops.Mul(loss, terms[k]!.weight)).reduce((sum, term) => ops.Add(sum, term))
      return gradientOf(total)
    }
    let gradients = bilevel ? twoLevels(bilevel) : weighted()

    if (importances && anchors) {
      gradients = gradients.map((gradient, i) =>
        ops.Add(gradient, ops.Mul(ops.Mul(importances[i]!, ops.Sub(weights[i]!, anchors[i]!)), 2 * elastic)),
      )
    }
    if (options.clipNorm) gradients = clipByGlobalNorm(ops, gradients, options.clipNorm)
    const { mask } = options
    const rate = ops.Gather(rates, iteration)
    const next = updateBundles(ops, { optimizer, weights, gradients, slots, mask, factors, rate, step: step! })
    const averages = slots.average?.map((mean, i) =>
      ops.Add(ops.Mul(mean, average!), ops.Mul(next.weights[i]!, 1 - average!)),
    )
    const reported = ops.Concat(
      here.map((loss) => ops.Reshape(loss, [1])),
      0,
    )
    return {
      carried: {
        weights: next.weights,
        step: [ops.Add(step!, 1)],
        ...next.slots,
        ...(averages && { average: averages }),
      },
      scans: [reported],
    }

    /** Gradient of L_1 + λ (L_0(θ) − L_0(θ')). */
    function twoLevels({ inner, innerRate, adaptive }: Bilevel): Value[] {
      const lower = gradientOf(here[0]!)
      const upper = gradientOf(here[1]!)
      const { weight } = terms[0]!
      if (adaptive === 0) return upper.map((gradient, i) => ops.Add(gradient, ops.Mul(lower[i]!, weight)))
      const descended = (from: readonly Value[], slope: readonly Value[]) =>
        from.map((value, i) => ops.Sub(value, ops.Mul(slope[i]!, innerRate)))
      let moved = descended(weights, lower)
      let at = bundles.unpack(ops, moved)
      let reached = losses[0]!(named(parameters, at))
      for (let step = 1; step < inner; step++) {
        moved = descended(moved, gradientOf(reached, at))
        at = bundles.unpack(ops, moved)
        reached = losses[0]!(named(parameters, at))
      }
      const q = ops.Sub(here[0]!, reached)
      const norm = ops.Add(dot(ops, lower, lower), 1e-12)
      const lambda = ops.Max(ops.Div(ops.Sub(ops.Mul(q, adaptive), dot(ops, lower, upper)), norm), 0)
      return upper.map((gradient, i) => ops.Add(gradient, ops.Mul(lower[i]!, lambda)))
    }
  })
  const give = (names: readonly { name: string }[], values: readonly Value[]) =>
    names.forEach(({ name }, i) => void addOutput(graph, `next/${name}`, values[i]!))
  give(parameters, bundles.unpack(ops, carried.weights!))
  for (const slot of slotNames) give(beside(slot), bundles.unpack(ops, carried[slot]!))
  give([{ name: 'step' }], carried.step!)
  addOutput(graph, 'losses', scans[0]!)
  return graph
}

/** Sums a function of the gradient of the noise loss over batches, in evaluation mode: what saliency and Fisher information are
 *  made of. */
export interface GradientSums {
  batch: number
  source: 'dataset' | 'own'
  ownImages: number
  reduction: Reduction
  /** Guidance of the prediction whose loss is taken. */
  guidance: number
  /** Norm to which each batch's gradient is clipped. */
  clipNorm: number | null
  /** Sums gradients, or their squares. */
  squared: boolean
}

/** Inputs: the parameters, the sums so far as `<parameter>:sum`, `images` or `images.0`, `items.0`, `t.0`, `labels.0`, `keys.0`.
 *  Outputs: the sums as `next/<parameter>:sum`. */
export function gradientSumsProgram(denoiser: DenoiserNetwork, data: DenoiserData, options: GradientSums): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const { parameters } = denoiser
  const { batch, guidance, reduction } = options
  const shape = [batch, ...denoiser.inputShape]
  const images =
    options.source === 'dataset'
      ? addInput(graph, 'images', 'uint8', [data.images, ...denoiser.inputShape])
      : addInput(graph, 'images.0', 'uint8', [options.ownImages, ...denoiser.inputShape])
  const steps = addInput(graph, 'steps', 'int64', [])
  const [items, times, labels] = ['items.0', 't.0', 'labels.0'].map((name) =>
    addInput(graph, name, 'int64', [-1, batch]),
  )
  const keys = addInput(graph, 'keys.0', 'int64', [-1, batch, 2])
  const weights = parameters.map(({ name, shape }) => addInput(graph, name, 'float32', shape))
  const sums = parameters.map(({ name, shape }) => addInput(graph, slotName(name, 'sum'), 'float32', shape))
  const bundles = bundlesOf(parameters)
  const { carried } = loop(ops, steps, bundles.pack(ops, sums), (ops, iteration, values) => {
    const at = (input: Value | undefined) => ops.Gather(input!, iteration)
    const live = weights.map((weight) => ops.Identity(weight))
    const [t, label] = [at(times), at(labels)]
    const noise = normals(ops, uniformSource(ops, at(keys)), shape)
    const x = diffuse(ops, data.alphaBars, fromBytes(ops, ops.Gather(images, at(items))), noise, t)
    const predict = (inputs: Parameters<DenoiserNetwork['forward']>[1]) =>
      denoiser.forward(ops, inputs, named(parameters, live))
    const predicted = guided(ops, predict, { x, t, labels: label }, { guidance, classes: denoiser.classes })
    const loss = squaredError(ops, noise, predicted, reduction)
    let gradients = bundles.pack(ops, differentiate(ops.graph, loss, live))
    if (options.clipNorm) gradients = clipByGlobalNorm(ops, gradients, options.clipNorm)
    const added = options.squared ? gradients.map((gradient) => ops.Mul(gradient, gradient)) : gradients
    return { carried: values.map((sum, i) => ops.Add(sum, added[i]!)), scans: [] }
  })
  const totals = bundles.unpack(ops, carried)
  parameters.forEach(({ name }, i) => {
    addOutput(graph, `next/${slotName(name, 'sum')}`, totals[i]!)
  })
  return graph
}
