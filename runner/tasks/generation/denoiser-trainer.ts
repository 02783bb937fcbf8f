/** The trainer that generation methods are handed: the weights of a denoiser, and steps that move them. What a step draws follows
 *  from its number, so a trainer with a checkpoint goes on as if it had never stopped. */
import type { OptimizerSpec } from '../../../schema/parts/recipe.ts'
import type { Diffusion } from '../../../schema/parts/diffusion.ts'
import type { Progress } from '../../../schema/result.ts'
import { drawKeys } from '../../engine/nn/counter-random.ts'
import type { DenoiserNetwork } from '../../engine/nn/denoiser-network.ts'
import { createExecutor, residentImages } from '../../engine/nn/executor.ts'
import { randomStream } from '../../engine/nn/random.ts'
import type { Provider } from '../../engine/onnx/session.ts'
import { floats, int64s, sizeOf, type Tensor, tensor, zeros } from '../../engine/onnx/tensor.ts'
import { absoluteScores, chooseMask, maskOf } from '../../engine/training/mask.ts'
import { slotName } from '../../engine/training/programs.ts'
import { DivergenceError } from '../../engine/training/trainer.ts'
import type { Split } from '../../science/dataset.ts'
import type {
  DenoiserOptimizerOptions,
  DenoiserTrainer,
  GeneratedImages,
  Importance,
  Term,
} from '../../science/tasks/generation.ts'
import type { Checkpoint } from '../../store/checkpoint.ts'
import type { Tensor as StoredTensor } from '../../store/safetensors.ts'
import { antitheticTimesteps } from './diffusion/draws.ts'
import { samplerOf, toBytes } from './diffusion/sampler.ts'
import { alphaBarsOf } from './diffusion/schedule.ts'
import {
  type Bilevel,
  carriedBy,
  type DenoiserStep,
  denoiserProgram,
  type GradientSums,
  gradientSumsProgram,
} from './diffusion/step-program.ts'
import { prepareTerm } from './diffusion/term-feeds.ts'

export interface DenoiserTrainerOptions {
  denoiser: DenoiserNetwork
  /** Whether a parameter belongs to the path by which the class enters. */
  conditions(parameter: string): boolean
  diffusion: Diffusion
  train: Split
  weights: Map<string, Tensor>
  seed: number
  /** What the trainer is for: keeps the draws of training and unlearning apart. */
  purpose: string
  flip: boolean
  threads: number
  provider?: Provider | undefined
  signal: AbortSignal
  onProgress(progress: Progress): void
  checkpoint?: Checkpoint | undefined
}

/** How a fresh denoiser is trained. */
export interface DenoiserFit {
  steps: number
  /** Learning rate of a step; `learningRate` is what messages name. */
  rate(step: number): number
  learningRate: number
  batchSize: number
  optimizer: OptimizerSpec
  clipNorm: number | null
  dropCondition: number
  /** Decay of the moving average of the weights; null keeps none. */
  average: number | null
}

export interface StageDenoiserTrainer extends DenoiserTrainer {
  weights(): Map<string, Tensor>
  /** Trains by a recipe on the items; gives the moving average of the weights, where the recipe keeps one. */
  fit(items: Int32Array, recipe: DenoiserFit): Promise<Map<string, Tensor> | null>
  /** Mean weighted loss of each twentieth of every run of steps. */
  losses(): number[]
  /** Seconds spent on masks, on compiling graphs and on everything else that was asked, earlier attempts included. */
  seconds(): { mask: number; compile: number; work: number }
  /** Seconds of those that passed since this trainer was made, without compiling. */
  spent(): number
  release(): Promise<void>
}

/** Each run of steps reports this many mean losses. */
const WINDOWS = 20
/** Batch in which a method's own images are sampled. */
const GENERATE_BATCH = 50

export function createDenoiserTrainer(options: DenoiserTrainerOptions): StageDenoiserTrainer {
  const { denoiser, diffusion, train, seed, purpose, flip, threads, provider, signal, onProgress, checkpoint } = options
  const { parameters, inputShape } = denoiser
  const executor = createExecutor({ threads, provider, signal })
  const data = { images: train.count, alphaBars: alphaBarsOf(diffusion) }
  const images = residentImages(train.images, inputShape)
  const losses: number[] = []
  let weights = new Map(options.weights)
  let anchors: Map<string, Tensor> | null = null
  let calls = 0
  let maskSeconds = 0
  let workSeconds = 0
  let earlierSeconds = 0

  /** Counts the time of an action, without what it spent on compiling. */
  async function timed<T>(add: (seconds: number) => void, action: () => Promise<T>): Promise<T> {
    const [start, compiled] = [performance.now(), executor.compileSeconds()]
    try {
      return await action()
    } finally {
      add((performance.now() - start) / 1000 - (executor.compileSeconds() - compiled))
    }
  }
  const working = <T>(action: () => Promise<T>) =>
    timed((seconds) => {
      workSeconds += seconds
    }, action)

  const feedsOf = (slot: string, values: ReadonlyMap<string, Tensor>): Record<string, Tensor> =>
    Object.fromEntries(parameters.map(({ name }) => [slotName(name, slot), values.get(name)!]))

  interface Run extends DenoiserOptimizerOptions {
    spec: OptimizerSpec
    average?: number | null
    rate(step: number): number
    phase: string
  }

  /** State of an optimizer between runs: everything carried but the weights. */
  type Slots = Map<string, Tensor>

  async function takeSteps(count: number, terms: Term[], run: Run, slots: Slots): Promise<Slots> {
    const call = calls++
    const drawn = `${purpose}/${call}`
    const saved = await checkpoint?.load()
    const at = saved ? Number(saved.metadata.call) : -1
    if (call < at) return slots // its outcome is in the checkpoint of a later call
    const context = { executor, denoiser, diffusion, train, seed, flip }
    const prepared = terms.map((term, k) => prepareTerm(term, k, drawn, context))
    const shape: DenoiserStep = {
      optimizer: run.spec,
      clipNorm: run.clipNorm,
      mask: run.mask ? (run.freeze ?? 'hard') : 'none',
      average: run.average ?? null,
      elastic: run.elastic?.strength ?? 0,
      terms: prepared.map((term) => term.shape),
      bilevel: (run.bilevel as Bilevel | undefined) ?? null,
    }
    const carried = carriedBy(denoiser, shape)
    const average = () => (shape.average === null ? {} : feedsOf('average', weights))
    const zero = Object.fromEntries(carried.map(({ name, shape }) => [name, zeros(shape)]))
    const feeds: Record<string, Tensor> = {
      ...zero,
      ...average(),
      ...Object.fromEntries(slots),
      ...Object.fromEntries(weights),
      images,
      ...(run.mask && maskFeeds(run.mask)),
      ...(anchors && feedsOf('anchor', anchors)),
      ...(run.elastic && importanceFeeds(run.elastic.importance)),
      ...Object.assign({}, ...prepared.map((term) => term.feeds)),
    }
    let first = 0
    const windows = Array.from({ length: Math.min(WINDOWS, count) }, () => 0)
    const windowOf = (step: number) => Math.floor((step * windows.length) / count)
    if (saved && call === at) {
      for (const { name, shape } of carried) feeds[name] = floats(shape, saved.tensors.get(name)!.data as Float32Array)
      first = Number(saved.metadata.step)
      const known = JSON.parse(saved.metadata.losses!) as number[]
      const before = JSON.parse(saved.metadata.before!) as number[]
      losses.splice(0, losses.length, ...before)
      known.forEach((sum, i) => {
        windows[i] = sum
      })
      earlierSeconds = Number(saved.metadata.seconds) - workSeconds
      workSeconds += earlierSeconds
    }
    const started = performance.now()
    const compiled = executor.compileSeconds()
    const atMost = prepared.map((term) => term.atMost).find((limit) => limit !== undefined)
    await executor.iterate({
      name: `steps ${JSON.stringify(shape)}`,
      program: () => denoiserProgram(denoiser, data, shape),
      first,
      end: count,
      feeds,
      ...(atMost !== undefined && { atMost }),
      async stepFeeds({ first, steps }) {
        const now = new Map(parameters.map(({ name }) => [name, feeds[name]!]))
        const all = []
        for (const term of prepared) all.push(await term.stepFeeds(first, steps, now))
        return Object.assign(
          {
            rates: floats(
              [steps],
              Float32Array.from({ length: steps }, (_, i) => run.rate(first + i)),
            ),
          },
          ...all,
        )
      },
      async after(outputs, { first, steps }) {
        for (const { name } of carried) feeds[name] = outputs[`next/${name}`]!
        const found = outputs.losses!.data as Float32Array // [steps, terms]
        let recent = 0
        for (let i = 0; i < steps; i++) {
          const total = terms.reduce((sum, { weight }, k) => sum + weight * found[i * terms.length + k]!, 0)
          windows[windowOf(first + i)]! += total
          recent += total / steps
        }
        if (!Number.isFinite(recent)) {
          throw new DivergenceError(
            `the loss became ${recent} in ${run.phase} before step ${first + steps} of ${count}; lower the learning rate (now ${run.learningRate})`,
          )
        }
        onProgress({ phase: run.phase, done: first + steps, total: count, unit: 'steps', loss: recent })
        if (!checkpoint?.due() || first + steps === count) return
        const spent = (performance.now() - started) / 1000 - (executor.compileSeconds() - compiled)
        const tensors = new Map(
          carried.map(({ name, shape }): [string, StoredTensor] => [
            name,
            { dtype: 'F32', shape: [...shape], data: feeds[name]!.data as Float32Array<ArrayBuffer> },
          ]),
        )
        await checkpoint.save({
          position: call + (first + steps) / count,
          tensors,
          metadata: {
            call: `${call}`,
            step: `${first + steps}`,
            losses: JSON.stringify(windows),
            before: JSON.stringify(losses),
            seconds: `${workSeconds + spent}`,
          },
        })
      },
    })
    workSeconds += (performance.now() - started) / 1000 - (executor.compileSeconds() - compiled)
    const sizes = windows.map(() => 0)
    for (let step = 0; step < count; step++) sizes[windowOf(step)]!++
    losses.push(...windows.map((sum, i) => sum / sizes[i]!))
    weights = new Map(parameters.map(({ name }) => [name, feeds[name]!]))
    for (const [name, { data }] of weights) {
      if (!(data as Float32Array).every(Number.isFinite))
        throw new DivergenceError(
          `${name} holds a value that is not finite after ${run.phase}; lower the learning rate`,
        )
    }
    return new Map(carried.flatMap(({ name }) => (weights.has(name) ? [] : [[name, feeds[name]!] as const])))
  }

  const maskFeeds = (mask: ReadonlyMap<string, Uint8Array>): Record<string, Tensor> =>
    Object.fromEntries(
      parameters.map(({ name, shape }) => [slotName(name, 'mask'), tensor('bool', shape, maskOf(mask, name))]),
    )
  const importanceFeeds = (importance: Importance): Record<string, Tensor> =>
    Object.fromEntries(
      parameters.map(({ name, shape }) => [slotName(name, 'importance'), floats(shape, importance.get(name)!)]),
    )

  /** Sums a function of gradients over images in order, the last batch smaller. */
  async function gradientSums(
    request: Omit<GradientSums, 'ownImages' | 'batch'>,
    { items, labels, own }: { items: Int32Array; labels: (item: number) => number; own: GeneratedImages | null },
    batchSize: number,
    phase: string,
  ): Promise<Map<string, Float32Array>> {
    const feeds: Record<string, Tensor> = {
      ...Object.fromEntries(weights),
      ...Object.fromEntries(parameters.map(({ name, shape }) => [slotName(name, 'sum'), zeros(shape)])),
      ...(own ? { 'images.0': residentImages(own.images, inputShape) } : { images }),
    }
    const whole = Math.floor(items.length / batchSize)
    const rest = items.length - whole * batchSize
    const parts = [
      { from: 0, batch: batchSize, end: whole },
      { from: whole * batchSize, batch: rest, end: rest > 0 ? 1 : 0 },
    ].filter(({ end }) => end > 0)
    for (const { from, batch, end } of parts) {
      const shape: GradientSums = { ...request, batch, ownImages: own ? own.labels.length : 0 }
      await executor.iterate({
        name: `gradients ${JSON.stringify(shape)}`,
        program: () => gradientSumsProgram(denoiser, data, shape),
        first: 0,
        end,
        feeds,
        stepFeeds({ first, steps }) {
          const seen = items.subarray(from + first * batch, from + (first + steps) * batch)
          const draws = Array.from({ length: steps }, (_, i) =>
            randomStream(seed, `${purpose}/${phase}/${from}/${first + i}`),
          )
          const keys = draws.flatMap((random) => [...(drawKeys(random, [batch]).data as BigInt64Array)])
          return {
            'items.0': int64s([steps, batch], seen),
            'labels.0': int64s([steps, batch], Array.from(seen, labels)),
            't.0': int64s(
              [steps, batch],
              draws.flatMap((random) => antitheticTimesteps(random, diffusion.timesteps, batch)),
            ),
            'keys.0': tensor('int64', [steps, batch, 2], BigInt64Array.from(keys)),
          }
        },
        after(outputs, { first, steps }) {
          for (const { name } of parameters) feeds[slotName(name, 'sum')] = outputs[`next/${slotName(name, 'sum')}`]!
          onProgress({ phase, done: from + (first + steps) * batch, total: items.length, unit: 'images' })
        },
      })
    }
    return new Map(parameters.map(({ name }) => [name, feeds[slotName(name, 'sum')]!.data as Float32Array]))
  }

  return {
    optimizer(how) {
      let slots: Slots = new Map()
      const spec: OptimizerSpec = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
      return {
        async steps(count, terms) {
          slots = await takeSteps(
            count,
            terms,
            { ...how, spec, rate: () => how.learningRate, phase: 'unlearning' },
            slots,
          )
        },
      }
    },
    mask({ kind, density, items, batchSize, guidance }) {
      const scores = async () => {
        const request = { source: 'dataset', reduction: 'sum', guidance, clipNorm: 1, squared: false } as const
        const labels = (item: number) => train.labels[item]!
        const sums = await gradientSums(request, { items, labels, own: null }, batchSize, 'mask')
        return absoluteScores(parameters.map(({ name }) => sums.get(name)!))
      }
      const add = (seconds: number) => {
        maskSeconds += seconds
      }
      return timed(add, () => chooseMask(parameters, { kind, density }, randomStream(seed, `${purpose}/mask`), scores))
    },
    part(which) {
      const entry = (name: string) => (options.conditions(name) === (which === 'conditioning') ? 1 : 0)
      return new Map(parameters.map(({ name, shape }) => [name, new Uint8Array(sizeOf(shape)).fill(entry(name))]))
    },
    anchor() {
      anchors = new Map(weights)
    },
    generate({ classes: asked, perClass, guidance, steps }) {
      return working(async () => {
        const labels = asked.flatMap((label) => Array<number>(perClass).fill(label))
        const sampling = { sampler: { kind: 'ddim', steps, eta: 0 }, guidance, clip: false } as const
        const sample = samplerOf({ executor, denoiser, diffusion, sampling, seed, purpose: `${purpose}/generate` })
        const size = sizeOf(inputShape)
        const made = new Uint8Array(labels.length * size)
        for (let first = 0; first < labels.length; first += GENERATE_BATCH) {
          const part = labels.slice(first, first + GENERATE_BATCH)
          made.set(toBytes((await sample({ weights, labels: part, first })).x), first * size)
          onProgress({ phase: 'generative replay', done: first + part.length, total: labels.length, unit: 'images' })
        }
        return { images: made, labels: Uint8Array.from(labels) }
      })
    },
    fisher(generated) {
      return working(async () => {
        const request = { source: 'own', reduction: 'sum', guidance: 0, clipNorm: null, squared: true } as const
        const items = Int32Array.from(generated.labels.keys())
        const from = { items, labels: (item: number) => generated.labels[item]!, own: generated }
        const sums = await gradientSums(request, from, 1, 'Fisher information')
        return new Map([...sums].map(([name, sum]) => [name, sum.map((square) => square / items.length)]))
      })
    },
    async fit(items, recipe) {
      const { steps, rate, learningRate, optimizer: spec, clipNorm, average, batchSize, dropCondition } = recipe
      const term: Term = {
        kind: 'noise',
        images: { kind: 'dataset', items },
        weight: 1,
        reduction: 'sum',
        batchSize,
        dropCondition,
      }
      const slots = await takeSteps(
        steps,
        [term],
        { spec, learningRate, clipNorm, average, rate, phase: 'training' },
        new Map(),
      )
      if (average === null) return null
      return new Map(parameters.map(({ name }) => [name, slots.get(slotName(name, 'average'))!]))
    },
    weights: () => weights,
    losses: () => losses,
    seconds: () => ({ mask: maskSeconds, compile: executor.compileSeconds(), work: workSeconds }),
    spent: () => maskSeconds + workSeconds - earlierSeconds,
    release: executor.release,
  }
}
