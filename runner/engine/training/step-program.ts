/** Programs that train: graphs that take a model through many batches in one call. What a step descends is a weighted sum of terms,
 *  each with batches of its own and a loss that was recorded as an expression. The state (parameters, buffers, optimizer slots)
 *  goes from step to step inside a Loop. */
import type { OptimizerSpec } from '../../../schema/parts/recipe.ts'
import { ExpressionError, type ExprNode, type Recording } from '../../science/expression.ts'
import { differentiate } from '../autodiff/differentiate.ts'
import { feedName } from '../nn/variables.ts'
import { addInput, addOutput, type Graph, newGraph, type Value } from '../onnx/graph.ts'
import { loopOverGroups } from '../onnx/loop.ts'
import { type Ops, opsFor } from '../onnx/ops.ts'
import type { Shape } from '../onnx/tensor.ts'
import { bundlesOf } from './bundles.ts'
import { type Building, build, buildPack, buildScalar, type Compiled } from './compile.ts'
import { directionOf } from './direction.ts'
import type { Net, NetValues, Objective, TermShape } from './objective.ts'
import { clipByGlobalNorm, optimizerOf } from './optimizers.ts'
import { type MaskKind, maskFactors, updateBundles } from './updates.ts'

export interface StepTerm extends TermShape {
  /** Factor of the loss; below 0 it is climbed. */
  weight: number
}

/** All that a step's graph depends on, as data. */
export interface StepShape {
  optimizer: OptimizerSpec
  clipNorm: number | null
  mask: MaskKind
  /** Decay of the moving average of the weights, which is carried beside them. */
  average: number | null
  /** Tensors of the method's own, carried and trained beside the weights. */
  own: Named[]
  terms: StepTerm[]
  penalty: Recording | null
  direction: Recording | null
  after: Recording | null
}

type Variables = Pick<Objective, 'parameters' | 'buffers'>
type Named = { name: string; shape: Shape }

const beside = (variables: readonly Named[], slot?: string): Named[] =>
  variables.map(({ name, shape }) => ({ name: feedName(name, slot), shape }))
const declared = (graph: Graph, list: readonly Named[]) =>
  list.map(({ name, shape }) => addInput(graph, name, 'float32', shape))
const named = (names: readonly { name: string }[], values: readonly Value[]): NetValues =>
  new Map(names.map(({ name }, i) => [name, values[i]!]))

/** What a step carries, by the names of its feeds: parameters, buffers, optimizer slots, the moving average, tensors of the method's
 *  own with their slots, and `step`. */
export function carriedBy({ parameters, buffers }: Variables, { optimizer, average, own }: StepShape): Named[] {
  const moving = optimizerOf(optimizer).slots
  const slots = [...moving, ...(average === null ? [] : ['average'])]
  return [
    ...beside([...parameters, ...buffers]),
    ...slots.flatMap((slot) => beside(parameters, slot)),
    ...[...own, ...moving.flatMap((slot) => beside(own, `own ${slot}`))],
    { name: 'step', shape: [] },
  ]
}

/** The name of a tensor of the method's own beside those of the model. */
export const ownName = (name: string): string => feedName(name, 'own')

/** The shape of a term that is looked at by itself. */
export const alone = (term: TermShape): Pick<StepShape, 'terms' | 'penalty' | 'direction' | 'after'> => ({
  terms: [{ ...term, weight: 1 }],
  penalty: null,
  direction: null,
  after: null,
})

const recordings = ({
  terms,
  penalty,
  direction,
  after,
}: Pick<StepShape, 'terms' | 'penalty' | 'direction' | 'after'>) =>
  [...terms.map(({ loss }) => loss), penalty, direction, after].filter((recording) => recording !== null)

/** Numbers of the kept models that a step looks at: those that answer, and those whose weights are asked for. */
export function keptBy(shape: Pick<StepShape, 'terms' | 'penalty' | 'direction' | 'after'>): {
  nets: number[]
  weights: number[]
} {
  const nodes = recordings(shape).flatMap(({ nodes }) => nodes)
  const distinct = (found: unknown[]) =>
    [...new Set(found.filter((one): one is number => typeof one === 'number'))].sort((a, b) => a - b)
  return {
    nets: distinct(nodes.map(({ with: { net } }) => net)),
    weights: distinct(nodes.map(({ with: { kept } }) => kept)),
  }
}

/** Names of the numbers that come with each step. */
export const numbersBy = (shape: Pick<StepShape, 'terms' | 'penalty' | 'direction' | 'after'>): string[] =>
  [
    ...new Set(
      recordings(shape).flatMap(({ nodes }) =>
        nodes.flatMap(({ op, with: { name } }) => (op === 'number' ? [name as string] : [])),
      ),
    ),
  ].sort()

/** The name of a kept model's tensors beside those of the model. */
export const keptSlot = (kept: number): string => `kept.${kept}`

/** What programs over terms share: inputs for kept models and numbers, and a way to build a term's loss in the body of a loop. */
export function termsOf(
  graph: Graph,
  ops: Ops,
  objective: Objective,
  shape: Pick<StepShape, 'terms' | 'penalty' | 'direction' | 'after'>,
) {
  const { parameters, buffers } = objective
  const bundles = bundlesOf(parameters)
  const kept = keptBy(shape)
  const numbers = new Map(numbersBy(shape).map((name) => [name, addInput(graph, `number.${name}`, 'float64', [-1])]))
  const keptParameters = new Map(
    [...new Set([...kept.nets, ...kept.weights])].map((number) => [
      number,
      declared(graph, beside(parameters, keptSlot(number))),
    ]),
  )
  const keptBuffers = new Map(kept.nets.map((number) => [number, declared(graph, beside(buffers, keptSlot(number)))]))
  const keptPacks = new Map(kept.weights.map((number) => [number, bundles.pack(ops, keptParameters.get(number)!)]))
  const declarations = shape.terms.map((term, k) => objective.declare(graph, k, term))
  const netOf = (number: number): Net => ({
    values: named([...parameters, ...buffers], [...keptParameters.get(number)!, ...keptBuffers.get(number)!]),
    training: false,
    update: () => {},
  })

  /** Values that all expressions of a step know. */
  const common = (ops: Ops, iteration: Value, node: ExprNode): Compiled | null => {
    if (node.op === 'number') {
      const value = ops.Gather(numbers.get(node.with.name as string)!, iteration)
      return ops.Cast(value, node.with.whole ? 'int64' : 'float32')
    }
    return node.op === 'weightsOf' ? keptPacks.get(node.with.kept as number)! : null
  }

  return {
    bundles,
    common,
    /** The values of all terms in one iteration; `model` gives the values of the model that is asked, `own` those of the method's
     *  own. */
    inside(ops: Ops, iteration: Value, own: NetValues = new Map()) {
      const resolvers = declarations.map((declare) => declare(ops, iteration))
      const known = (k: number, model: (node: ExprNode) => Net) => (node: ExprNode, args: readonly Compiled[]) => {
        const shared = common(ops, iteration, node)
        if (shared) return shared
        if (node.op === 'own') return ownValue(own, node)
        const { net } = node.with
        const asked = net === undefined ? null : net === null ? model(node) : netOf(net as number)
        const tensors = args.map((arg) => {
          if (Array.isArray(arg)) throw new ExpressionError(`${node.op}: expected a tensor, got all weights`)
          return arg as Value
        })
        return resolvers[k]!(node, tensors, asked)
      }
      return {
        loss: (k: number, model: (node: ExprNode) => Net, building?: Building) =>
          buildScalar(ops, shape.terms[k]!.loss, known(k, model), building),
        value: (k: number, model: (node: ExprNode) => Net) => build(ops, shape.terms[k]!.loss, known(k, model)),
      }
    },
  }
}

function ownValue(own: NetValues, { with: { name } }: ExprNode): Value {
  const value = own.get(ownName(name as string))
  if (value) return value
  throw new ExpressionError(`own("${name}") is trained by its optimizer; give it with { own: { ${name}: … } } there`)
}

/** Inputs: what is carried, by name; `steps`; `rates` [steps]; those of the terms; masks, kept models and numbers [steps] as the
 *  shape asks. Outputs: `next/<name>` of what is carried and `losses` [steps, terms]. */
export function stepProgram(objective: Objective, shape: StepShape): Graph {
  const graph = newGraph()
  const ops = opsFor(graph)
  const { parameters, buffers } = objective
  const { terms, average, own, penalty, direction, after, mask } = shape
  const steps = addInput(graph, 'steps', 'int64', [])
  const rates = addInput(graph, 'rates', 'float32', [-1])
  const { bundles, common, inside } = termsOf(graph, ops, objective, shape)
  const packed = (slot: string) => bundles.pack(ops, declared(graph, beside(parameters, slot)))
  const factors = mask === 'none' ? null : maskFactors(graph, ops, bundles, beside(parameters, 'mask'))
  const optimizer = optimizerOf(shape.optimizer)
  const slotNames = [...optimizer.slots, ...(average === null ? [] : ['average'])]
  const state = {
    weights: bundles.pack(ops, declared(graph, beside(parameters))),
    buffers: declared(graph, beside(buffers)),
    step: declared(graph, [{ name: 'step', shape: [] }]),
    own: declared(graph, own),
    ...Object.fromEntries(optimizer.slots.map((slot) => [`own ${slot}`, declared(graph, beside(own, `own ${slot}`))])),
    ...Object.fromEntries(slotNames.map((slot) => [slot, packed(slot)])),
  }

  const { carried, scans } = loopOverGroups(ops, steps, state, (ops, iteration, current) => {
    const { weights: held = [], buffers: running = [], step: [step] = [], own: extra = [], ...slots } = current
    const weights = bundles.unpack(ops, held)
    const batch = inside(ops, iteration, named(own, extra))
    // Running statistics go from one forward pass of the step to the next.
    let statistics = running
    const model =
      (values: readonly Value[], remember: boolean) =>
      ({ with: { evaluation } }: ExprNode): Net => ({
        values: named([...parameters, ...buffers], [...values, ...statistics]),
        training: !evaluation,
        update(updates) {
          if (remember) statistics = buffers.map(({ name }, i) => updates.get(name) ?? statistics[i]!)
        },
      })
    const buildings = terms.map((): Building => ({ values: new Map() }))
    const losses = terms.map((_, k) => batch.loss(k, model(weights, true), buildings[k]))
    const gradientOf = (loss: Value, at: readonly Value[] = weights) =>
      bundles.pack(ops, differentiate(ops.graph, loss, at, { absent: 'zero' }))

    const total = () => {
      const parts = losses.map((loss, k) => (terms[k]!.weight === 1 ? loss : ops.Mul(loss, terms[k]!.weight)))
      return parts.reduce((sum, part) => ops.Add(sum, part))
    }
    /** Of the weighted sum of the terms, for the weights and for what is the method's own. */
    const weighted = () => {
      const found = differentiate(ops.graph, total(), [...weights, ...extra], { absent: 'zero' })
      return { weights: bundles.pack(ops, found.slice(0, weights.length)), own: found.slice(weights.length) }
    }
    const lossElsewhere = (k: number, values: readonly Value[]) =>
      batch.loss(k, model(values, false), { values: new Map(), stopped: buildings[k] })
    const shared = (node: ExprNode) => common(ops, iteration, node)
    const plain = direction && own.length === 0 ? null : weighted()
    let ownGradients: readonly Value[] = plain?.own ?? []
    let gradients: readonly Value[] = direction
      ? directionOf(ops, direction, { held, losses, bundles, gradientOf, lossElsewhere, shared })
      : plain!.weights
    if (penalty) {
      const ofWeights = (node: ExprNode) => (node.op === 'weights' ? held : shared(node))
      const slopes = differentiate(ops.graph, buildScalar(ops, penalty, ofWeights), held)
      gradients = gradients.map((gradient, i) => ops.Add(gradient, slopes[i]!))
    }
    if (shape.clipNorm) {
      const clipped = clipByGlobalNorm(ops, [...gradients, ...ownGradients], shape.clipNorm)
      gradients = clipped.slice(0, gradients.length)
      ownGradients = clipped.slice(gradients.length)
    }
    const rate = ops.Gather(rates, iteration)
    const stepping = { optimizer, rate, step: step! }
    const next = updateBundles(ops, { ...stepping, weights: held, gradients, slots, mask, factors })
    const ownNext = updateBundles(ops, {
      ...stepping,
      ...{ weights: extra, gradients: ownGradients, mask: 'none', factors: null },
      slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, slots[`own ${slot}`]!])),
    })
    const moved = after
      ? buildPack(ops, after, (node) => (node.op === 'weights' ? next.weights : shared(node)))
      : next.weights
    const averages = slots.average?.map((mean, i) => ops.Add(ops.Mul(mean, average!), ops.Mul(moved[i]!, 1 - average!)))
    const reported = ops.Concat(
      losses.map((loss) => ops.Reshape(loss, [1])),
      0,
    )
    return {
      carried: {
        weights: moved,
        buffers: statistics,
        step: [ops.Add(step!, 1)],
        own: ownNext.weights,
        ...Object.fromEntries(optimizer.slots.map((slot) => [`own ${slot}`, ownNext.slots[slot]!])),
        ...next.slots,
        ...(averages && { average: averages }),
      },
      scans: [reported],
    }
  })
  const give = (names: readonly { name: string }[], values: readonly Value[]) =>
    names.forEach(({ name }, i) => void addOutput(graph, `next/${name}`, values[i]!))
  give(beside(parameters), bundles.unpack(ops, carried.weights!))
  give(beside(buffers), carried.buffers!)
  for (const slot of slotNames) give(beside(parameters, slot), bundles.unpack(ops, carried[slot]!))
  give(own, carried.own!)
  for (const slot of optimizer.slots) give(beside(own, `own ${slot}`), carried[`own ${slot}`]!)
  give([{ name: 'step' }], carried.step!)
  addOutput(graph, 'losses', scans[0]!)
  return graph
}
