/** The trainer that methods are handed: a network's state, and passes over images that move it. With a checkpoint it goes on as if
 *  it had never stopped: the caller asks for everything again, and what was done before is answered from there. */
import type { OptimizerSpec, TrainingRecipe } from '../../../schema/benchmark.ts'
import type { Progress } from '../../../schema/result.ts'
import type { Split } from '../../science/dataset.ts'
import type { Mask } from '../../science/mask.ts'
import type { OptimizerOptions, PassOptions, Trainer } from '../../science/method.ts'
import type { Checkpoint } from '../../store/checkpoint.ts'
import { createExecutor, residentImages } from '../nn/executor.ts'
import { type Network, parameterCount } from '../nn/network.ts'
import { randomStream } from '../nn/random.ts'
import type { Provider } from '../onnx/session.ts'
import { floats, int64s, type Tensor, tensor, zeros } from '../onnx/tensor.ts'
import { DRAWS, PADDING } from './augment.ts'
import { type HalfDone, loadHalfDone, type OptimizerState, saveHalfDone } from './half-done.ts'
import { absoluteScores, chooseMask, maskOf } from './mask.ts'
import { optimizerOf } from './optimizers.ts'
import { answersProgram, type StepOptions, saliencyProgram, slotName, trainProgram } from './programs.ts'
import { rateAt } from './schedules.ts'

/** The loss is no longer a finite number, so the weights are lost. */
export class DivergenceError extends Error {
  override name = 'DivergenceError'
}

export interface TrainerOptions {
  network: Network
  train: Split
  state: Map<string, Tensor>
  seed: number
  /** What the trainer is for: keeps the draws of training and unlearning apart. */
  purpose: string
  augment: boolean
  threads: number
  provider?: Provider | undefined
  /** Where onnxruntime writes a profile of every node. */
  profilePrefix?: string | undefined
  signal: AbortSignal
  onProgress(progress: Progress): void
  checkpoint?: Checkpoint | undefined
}

export interface StageTrainer extends Trainer {
  /** Parameters and buffers as they are now. */
  state(): Map<string, Tensor>
  /** Trains by a recipe on the items; gives the mean loss of each epoch. */
  fit(items: Int32Array, recipe: TrainingRecipe): Promise<number[]>
  /** Logits [n, classes] of images of a split, in evaluation mode. */
  answer(split: Split, items: Int32Array, phase: string): Promise<Float32Array>
  /** Mean loss of each pass so far. */
  losses(): number[]
  /** Seconds spent on masks, on compiling graphs and on everything else so far, earlier attempts included but for compiling. */
  seconds(): { mask: number; compile: number; work: number }
  release(): Promise<void>
}

/** Images in one batch of evaluation; it does not change the answers. */
const ANSWER_BATCH = 250

export function createTrainer(options: TrainerOptions): StageTrainer {
  const { network, train, seed, purpose, augment, threads, provider, profilePrefix, signal, onProgress, checkpoint } =
    options
  const executor = createExecutor({ threads, provider, profilePrefix, signal })
  const order = randomStream(seed, `${purpose}/order`)
  const draws = randomStream(seed, `${purpose}/augment`)
  const maskRandom = randomStream(seed, `${purpose}/mask`)
  const images = residentImages(train.images, network.inputShape)
  const losses: number[] = []
  const masks: Mask[] = []
  const optimizers: OptimizerState[] = []
  const began = performance.now()
  let state = new Map(options.state)
  let calls = 0
  /** Of this attempt, and of those before. */
  let maskSeconds = 0
  let earlier = { mask: 0, work: 0 }

  let loaded: Promise<HalfDone | null> | undefined
  const halfDone = () => {
    loaded ??= checkpoint ? loadHalfDone(checkpoint) : Promise.resolve(null)
    return loaded
  }
  const seconds = () => {
    const compile = executor.compileSeconds()
    const work = (performance.now() - began) / 1000 - compile - maskSeconds
    return { mask: earlier.mask + maskSeconds, compile, work: earlier.work + work }
  }
  function restore(half: HalfDone): void {
    state = half.state
    optimizers.splice(0, optimizers.length, ...half.optimizers)
    order.restore(half.streams.order)
    draws.restore(half.streams.draws)
    maskRandom.restore(half.streams.mask)
    earlier = half.seconds
  }

  const variables = [...network.parameters, ...network.buffers]
  const stateFeeds = () => Object.fromEntries(variables.map(({ name }) => [name, state.get(name)!]))
  const drawsFor = (steps: number, batch: number): Tensor => {
    const drawn = Array.from({ length: steps * batch * DRAWS }, (_, i) =>
      draws.integer(i % DRAWS === 2 ? 2 : 2 * PADDING + 1),
    )
    return int64s([steps, batch, DRAWS], drawn)
  }

  /** One optimizer over any recipe; `pass` goes once over the items. */
  function start(
    spec: OptimizerSpec,
    { mask, freeze, proximal = false, clipNorm = null }: Partial<OptimizerOptions> & { clipNorm?: number | null },
  ) {
    const { parameters } = network
    const slots = optimizerOf(spec).slots.flatMap((slot) =>
      parameters.map(({ name, shape }) => [slotName(name, slot), zeros(shape)] as const),
    )
    const number = optimizers.length
    optimizers.push({ slots: new Map([...slots, ['step', floats([], [0])]]), anchors: new Map() })
    const maskFeeds = mask
      ? parameters.map(
          ({ name, shape }) => [slotName(name, 'mask'), tensor('bool', shape, maskOf(mask, name))] as const,
        )
      : []
    async function pass(
      items: Int32Array,
      {
        rate,
        batchSize,
        labels,
        ascend = false,
        l1 = 0,
        undoneShare = 0,
      }: Omit<PassOptions, 'learningRate'> & { rate: (step: number) => number },
      phase: string,
    ): Promise<number> {
      const stepOptions: StepOptions = {
        optimizer: spec,
        clipNorm,
        ascend,
        l1: l1 > 0,
        mask: mask ? (freeze ?? 'hard') : 'none',
        proximal,
      }
      const call = calls++
      const half = await halfDone()
      if (half && call < half.call) {
        losses.push(half.losses[call]!)
        return half.losses[call]!
      }
      const here = half?.call === call ? half : null
      if (here) restore(here)
      const orderBefore = order.state()
      const shuffled = order.shuffle(Int32Array.from(items, (_, i) => i)) // positions, since labels go by position
      const planned = shuffled.map((position) => items[position]!)
      const targets = BigInt64Array.from(shuffled, (position) =>
        BigInt(labels ? labels[position]! : train.labels[items[position]!]!),
      )
      const feeds: Record<string, Tensor> = {
        images,
        ...stateFeeds(),
        ...Object.fromEntries([...optimizers[number]!.slots, ...maskFeeds, ...optimizers[number]!.anchors]),
      }
      const undone = Math.floor(undoneShare * parameterCount(network))
      let sum = here?.sum ?? 0
      let seen = here?.seen ?? 0
      const moved = () => {
        state = new Map(variables.map(({ name }) => [name, feeds[name]!]))
        const { slots, anchors } = optimizers[number]!
        optimizers[number] = { slots: new Map([...slots.keys()].map((name) => [name, feeds[name]!])), anchors }
      }
      await executor.execute({
        name: `train ${JSON.stringify([stepOptions, augment])}`,
        program: (batch) => trainProgram(network, { images: train.count, batch, augment }, stepOptions),
        items: planned,
        batch: batchSize,
        from: seen,
        feeds,
        stepFeeds: ({ first, firstStep, steps, batch }) => ({
          targets: tensor('int64', [steps, batch], targets.subarray(first, first + steps * batch)),
          rates: floats(
            [steps],
            Float32Array.from({ length: steps }, (_, i) => rate(firstStep + i)),
          ),
          ...(augment && { draws: drawsFor(steps, batch) }),
          ...(l1 > 0 && { l1: floats([steps], new Float32Array(steps).fill(l1)) }),
          ...(proximal && { undone: int64s([steps], Array(steps).fill(undone)) }),
        }),
        async after(outputs, { count }) {
          const { data, shape } = outputs.losses!
          const size = count / shape[0]!
          for (const loss of data as Float32Array) sum += loss * size
          seen += count
          if (!Number.isFinite(sum)) {
            throw new DivergenceError(
              `the loss became ${sum} in ${phase} after ${seen} of ${items.length} images; lower the learning rate (now ${rate(0)})`,
            )
          }
          for (const [name, output] of Object.entries(outputs))
            if (name.startsWith('next/')) feeds[name.slice(5)] = output
          onProgress({ phase, done: seen, total: items.length, unit: 'images', loss: sum / seen })
          if (!checkpoint?.due()) return
          moved()
          const { mask, work } = seconds()
          await saveHalfDone(checkpoint, {
            ...{ call, seen, sum, losses, state, optimizers, masks },
            position: call + seen / items.length,
            streams: { order: orderBefore, draws: draws.state(), mask: maskRandom.state() },
            seconds: { mask, work },
          })
        },
      })
      moved()
      checkFinite(state, phase)
      losses.push(sum / seen)
      return sum / seen
    }
    return {
      pass,
      anchor() {
        const anchors = new Map(parameters.map(({ name }) => [slotName(name, 'anchor'), state.get(name)!]))
        optimizers[number] = { ...optimizers[number]!, anchors }
      },
    }
  }

  async function saliency(items: Int32Array, batchSize: number): Promise<Float32Array> {
    const sums = network.parameters.map(({ name, shape }) => [slotName(name, 'sum'), zeros(shape)] as const)
    const feeds: Record<string, Tensor> = { images, ...stateFeeds(), ...Object.fromEntries(sums) }
    let seen = 0
    await executor.execute({
      name: `saliency ${augment}`,
      program: (batch) => saliencyProgram(network, { images: train.count, batch, augment }),
      items,
      batch: batchSize,
      feeds,
      stepFeeds: ({ items, steps, batch }) => ({
        targets: int64s(
          [steps, batch],
          Array.from(items, (item) => train.labels[item]!),
        ),
        ...(augment && { draws: drawsFor(steps, batch) }),
      }),
      after(outputs, { count }) {
        for (const [name, output] of Object.entries(outputs)) feeds[name.slice(5)] = output
        seen += count
        onProgress({ phase: 'mask', done: seen, total: items.length, unit: 'images' })
      },
    })
    return absoluteScores(sums.map(([name]) => feeds[name]!.data as Float32Array))
  }

  return {
    optimizer({ momentum, weightDecay, ...rest }) {
      const started = start({ kind: 'sgd', momentum, weightDecay, nesterov: false }, rest)
      let passes = 0
      return {
        pass: (items, { learningRate, ...how }) =>
          started.pass(items, { ...how, rate: () => learningRate }, `pass ${++passes}`),
        anchor: started.anchor,
      }
    },
    async mask({ kind, density, items, batchSize }) {
      const known = (await halfDone())?.masks[masks.length]
      if (known) {
        masks.push(known)
        return known
      }
      const [from, compiled] = [performance.now(), executor.compileSeconds()]
      const scores = () => saliency(items, batchSize)
      const mask = await chooseMask(network.parameters, { kind, density }, maskRandom, scores)
      masks.push(mask)
      maskSeconds += (performance.now() - from) / 1000 - (executor.compileSeconds() - compiled)
      return mask
    },
    async fit(items, recipe) {
      const started = start(recipe.optimizer, { clipNorm: recipe.clipNorm })
      const steps = Math.ceil(items.length / recipe.batchSize)
      const epochLosses: number[] = []
      for (let epoch = 0; epoch < recipe.epochs; epoch++) {
        const rate = (step: number) => rateAt(recipe, epoch + step / steps)
        epochLosses.push(
          await started.pass(items, { rate, batchSize: recipe.batchSize }, `epoch ${epoch + 1} of ${recipe.epochs}`),
        )
      }
      return epochLosses
    },
    async answer(split, items, phase) {
      const logits = new Float32Array(items.length * network.classes)
      await executor.execute({
        name: `answers ${split.count}`,
        program: (batch) => answersProgram(network, { images: split.count, batch }),
        items,
        batch: ANSWER_BATCH,
        feeds: { images: residentImages(split.images, network.inputShape), ...stateFeeds() },
        after(outputs, { first, count }) {
          logits.set(outputs.logits!.data as Float32Array, first * network.classes)
          onProgress({ phase, done: first + count, total: items.length, unit: 'images' })
        },
      })
      return logits
    },
    state: () => state,
    losses: () => losses,
    seconds,
    release: executor.release,
  }
}

/** A step can overflow the weights while its loss is still finite. */
function checkFinite(state: Map<string, Tensor>, phase: string): void {
  for (const [name, { data }] of state) {
    if (!(data as Float32Array).every(Number.isFinite)) {
      throw new DivergenceError(`${name} holds a value that is not finite after ${phase}; lower the learning rate`)
    }
  }
}
