/** What the engine must know of a class-conditional diffusion model to train it: what its batches draw, and how it predicts
 *  noise. */
import type { Diffusion } from '../../../schema/parts/diffusion.ts'
import { drawKeys, normals, uniformSource } from '../../engine/nn/counter-random.ts'
import type { DenoiserInputs, DenoiserNetwork } from '../../engine/nn/denoiser-network.ts'
import { type Executor, residentImages } from '../../engine/nn/executor.ts'
import { addInput, type Graph, type Value } from '../../engine/onnx/graph.ts'
import type { Ops } from '../../engine/onnx/ops.ts'
import { floats, int64s, type Tensor, tensor } from '../../engine/onnx/tensor.ts'
import type { Drawing, Drawn, Net, Objective, Resolve, TermShape } from '../../engine/training/objective.ts'
import type { Split } from '../../science/dataset.ts'
import { ExpressionError, nodesOf } from '../../science/expression.ts'
import { type DiffusionBatch, type DiffusionTypes, diffusionValues } from '../../science/tasks/generation/vocabulary.ts'
import { antitheticTimesteps, dropConditions } from './diffusion/draws.ts'
import { diffuse, fromBytes, guided } from './diffusion/loss.ts'
import { samplerOf } from './diffusion/sampler.ts'
import { alphaBarsOf } from './diffusion/schedule.ts'

export interface DiffusionOptions {
  denoiser: DenoiserNetwork
  diffusion: Diffusion
  train: Split
  seed: number
  /** Horizontal flips in training. */
  flip: boolean
  /** Samples the latents of batches that ask for them. */
  executor(): Executor
}

/** What the graph knows of a term's batches. */
interface Shape {
  source: 'dataset' | 'own' | 'uniform' | 'latents'
  /** Images that stay resident. */
  images: number
  flip: boolean
  /** Whether it draws other classes too. */
  other: boolean
  pixels: 'signed' | 'unit'
}

/** Counters of a row's key at which the dropout of a loss's n-th prediction begins to draw; noise is drawn from 0. */
const DROPOUT = 2 ** 24

export function diffusionObjective(options: DiffusionOptions): Objective<DiffusionTypes> {
  const { denoiser, diffusion, train, flip } = options
  const { parameters, buffers, inputShape } = denoiser
  const resident = residentImages(train.images, inputShape)
  const alphaBars = alphaBarsOf(diffusion)
  return {
    parameters,
    buffers,
    values: diffusionValues,
    population: (on) => populationOf(on, diffusion),
    batchSize: ({ batchSize }) => batchSize,
    shapeOf: (on, use): Record<string, unknown> & Shape => {
      const source = sourceOf(on)
      const images = 'from' in on ? on.from.labels.length : source === 'dataset' ? train.count : 0
      const pixels = ('from' in on && on.pixels) || 'signed'
      return { source, images, flip: flip && use === 'training' && images > 0, other: !!on.other, pixels }
    },
    declare: (graph, k, term) => declareTerm(graph, k, term, denoiser, alphaBars),
    draw: (on, drawing) => drawTerm(on, drawing, options, resident),
  }
}

/** Of images at every timestep a position is the image's number times T plus the timestep. */
const populationOf = (on: DiffusionBatch, { timesteps }: Diffusion): number =>
  'items' in on ? on.items.length : 'from' in on ? on.from.labels.length * (on.everyTimestep ? timesteps : 1) : 0

const sourceOf = (on: DiffusionBatch): Shape['source'] =>
  'items' in on ? 'dataset' : 'from' in on ? 'own' : 'uniform' in on ? 'uniform' : 'latents'

function declareTerm(
  graph: Graph,
  k: number,
  { batch, on, loss }: TermShape,
  denoiser: DenoiserNetwork,
  alphaBars: Float64Array,
): (ops: Ops, iteration: Value) => Resolve {
  const { source, images, flip, other, pixels } = on as unknown as Shape
  const shape = [batch, ...denoiser.inputShape]
  const perStep = (what: string, type: 'int64' | 'float32', rest: readonly number[]) =>
    addInput(graph, `${what}.${k}`, type, [-1, ...rest])
  const name = source === 'own' ? `images.${k}` : 'images'
  // Terms share the training set.
  const resident =
    images > 0
      ? (graph.inputs.find((input) => input.name === name) ??
        addInput(graph, name, 'uint8', [images, ...denoiser.inputShape]))
      : null
  const items = resident ? perStep('items', 'int64', [batch]) : null
  const latents = source === 'latents' ? perStep('latents', 'float32', shape) : null
  const times = perStep('t', 'int64', [batch])
  const labels = perStep('labels', 'int64', [batch])
  const others = other ? perStep('others', 'int64', [batch]) : null
  const keys = perStep('keys', 'int64', [batch, 2])
  const flips = flip ? perStep('flips', 'int64', [batch]) : null
  const live = nodesOf(loss, 'predict').filter(({ with: { net } }) => net === null)

  return (ops, iteration) => {
    const at = (input: Value) => ops.Gather(input, iteration)
    const once = (make: () => Value) => {
      let made: Value | undefined
      return () => {
        made ??= make()
        return made
      }
    }
    const [t, key, label] = [once(() => at(times)), once(() => at(keys)), once(() => at(labels))]
    // Noise is drawn before whatever stands in the place of an image.
    const draws = once(() => {
      const source = uniformSource(ops, key())
      noise = normals(ops, source, shape)
      if (!resident) uniform = ops.Sub(ops.Mul(source(shape), 2), 1)
      return noise
    })
    let noise: Value | undefined
    let uniform: Value | undefined
    const clean = () => {
      if (!resident || !items) return uniform!
      const image = fromBytes(ops, ops.Gather(resident, at(items)), pixels)
      if (!flips) return image
      const mirrored = ops.Slice(image, [-1], [-1 - shape[3]!], [3], [-1])
      return ops.Where(ops.Reshape(ops.Equal(at(flips), 1), [batch, 1, 1, 1]), mirrored, image)
    }
    const x = once(() => {
      if (latents) return at(latents)
      const noise = draws()
      return diffuse(ops, alphaBars, clean(), noise, t())
    })

    const predict = (guidance: number, inputs: DenoiserInputs, net: Net, first: number) => {
      // With guidance the batch goes together with its twin of the null class.
      const keysOf = ({ x }: DenoiserInputs) => (x.shape[0] === batch ? key() : ops.Concat([key(), key()], 0))
      const answer = (inputs: DenoiserInputs) =>
        denoiser.forward(ops, inputs, net.values, net.training ? { keys: keysOf(inputs), first } : undefined)
      return guided(ops, answer, inputs, { guidance, classes: denoiser.classes })
    }
    return (node, args, net) => {
      switch (node.op) {
        case 'x':
          return x()
        case 't':
          return t()
        case 'label':
          return label()
        case 'none':
          return ops.Expand(ops.scalar('int64', denoiser.classes), [batch])
        case 'other':
          if (!others) throw new ExpressionError('other: the batch draws no other classes; ask for them with { other }')
          return at(others)
        case 'noise':
          if (latents) throw new ExpressionError('noise: latents that were sampled carry no record of their noise')
          return draws()
        case 'predict': {
          const [x, t, labels] = args as [Value, Value, Value]
          const first = DROPOUT * (1 + Math.max(0, live.indexOf(node)))
          return predict(node.with.guidance as number, { x, t, labels }, net!, first)
        }
        default:
          return null
      }
    }
  }
}

function drawTerm(
  on: DiffusionBatch,
  { k, use, streamOf, name }: Drawing,
  { denoiser, diffusion, train, flip, seed, executor }: DiffusionOptions,
  resident: Tensor,
): Drawn {
  const { classes, inputShape } = denoiser
  const own = 'from' in on ? on.from : null
  const items = 'items' in on ? on.items : null
  const sampled = 'sampled' in on ? on.sampled : null
  const fixed = 'uniform' in on ? on.uniform : (sampled?.label ?? null)
  const population = populationOf(on, diffusion)
  const each = 'from' in on && on.everyTimestep ? diffusion.timesteps : 1
  if ((own || items) && population === 0) throw new Error('a term of the loss has no images to draw from')
  const flips = flip && use === 'training' && population > 0
  const dropped = on.dropCondition ?? 0
  const sample = sampled
    ? samplerOf({
        executor: executor(),
        denoiser,
        diffusion,
        sampling: {
          sampler: { kind: 'ddim', steps: sampled.steps, eta: 0 },
          guidance: sampled.guidance,
          clip: false,
        },
        seed,
        purpose: `${name}/latents`,
      })
    : null
  return {
    feeds: own ? { [`images.${k}`]: residentImages(own.images, inputShape) } : items ? { images: resident } : {},
    atMost: sample ? 1 : undefined,
    async stepFeeds({ first, steps, batch, positions }, weightsOf) {
      const columns: Record<'items' | 't' | 'labels' | 'others' | 'flips', number[]> = {
        items: [],
        t: [],
        labels: [],
        others: [],
        flips: [],
      }
      const keys: bigint[] = []
      const latents: Float32Array[] = []
      for (let i = 0; i < steps; i++) {
        const step = first + i
        const random = streamOf(step)
        const chosen = Array.from({ length: batch }, (_, j) => {
          const position = population > 0 ? positions[i * batch + j]! : 0
          return items ? items[position]! : Math.floor(position / each)
        })
        const truth = chosen.map((item) => fixed ?? (own ? own.labels[item]! : train.labels[item]!))
        columns.items.push(...chosen)
        keys.push(...(drawKeys(random, [batch]).data as BigInt64Array))
        if (flips) columns.flips.push(...chosen.map(() => random.integer(2)))
        const times =
          each > 1
            ? Array.from(positions.subarray(i * batch, (i + 1) * batch), (position) => position % each)
            : antitheticTimesteps(random, diffusion.timesteps, batch)
        columns.labels.push(...dropConditions(random, truth, dropped, classes))
        if (on.other) {
          const shared = on.other === 'shared' ? random.integer(classes - 1) : 0
          const others = truth.map(
            (label) => (label + 1 + (on.other === 'random' ? random.integer(classes - 1) : shared)) % classes,
          )
          columns.others.push(...dropConditions(random, others, dropped, classes))
        }
        if (sample && sampled) {
          // From no step at all, which leaves the noise at the noisiest timestep, to all but the last.
          const until = random.integer(sample.steps)
          const { x, t } = await sample({ weights: weightsOf(sampled.of), labels: truth, first: step * batch, until })
          latents.push(x)
          times.fill(t)
        }
        columns.t.push(...times)
      }
      const feeds: Record<string, Tensor> = {
        [`keys.${k}`]: tensor('int64', [steps, batch, 2], BigInt64Array.from(keys)),
      }
      for (const [column, values] of Object.entries(columns)) {
        if (values.length > 0) feeds[`${column}.${k}`] = int64s([steps, batch], values)
      }
      if (latents.length > 0)
        feeds[`latents.${k}`] = floats([steps, batch, ...inputShape], Float32Array.from(latents.flatMap((x) => [...x])))
      return feeds
    },
  }
}
