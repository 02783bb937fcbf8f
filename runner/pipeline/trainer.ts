/** The trainer that methods are handed: a network's state, and passes over images that move it. */
import type { OptimizerSpec, TrainingRecipe } from '../../schema/benchmark.ts'
import type { Progress } from '../../schema/result.ts'
import type { Split } from '../dataset.ts'
import type { OptimizerOptions, PassOptions, Trainer } from '../method.ts'
import { DRAWS, PADDING } from '../nn/augment.ts'
import { createExecutor, residentImages } from '../nn/executor.ts'
import { type Network, parameterCount } from '../nn/network.ts'
import { optimizerOf } from '../nn/optimizers.ts'
import { answersProgram, type StepOptions, saliencyProgram, slotName, trainProgram } from '../nn/programs.ts'
import { randomStream } from '../nn/random.ts'
import { rateAt } from '../nn/schedules.ts'
import { floats, int64s, type Tensor, tensor, zeros } from '../onnx/tensor.ts'
import { absoluteScores, chooseMask, maskOf } from './mask.ts'

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
  signal: AbortSignal
  onProgress(progress: Progress): void
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
  /** Seconds spent on masks and on compiling graphs so far. */
  seconds(): { mask: number; compile: number }
  release(): Promise<void>
}

/** Images in one batch of evaluation; it does not change the answers. */
const ANSWER_BATCH = 250

export function createTrainer(options: TrainerOptions): StageTrainer {
  const { network, train, seed, purpose, augment, threads, signal, onProgress } = options
  const executor = createExecutor({ threads, signal })
  const order = randomStream(seed, `${purpose}/order`)
  const draws = randomStream(seed, `${purpose}/augment`)
  const maskRandom = randomStream(seed, `${purpose}/mask`)
  const images = residentImages(train.images, network.inputShape)
  const losses: number[] = []
  let state = new Map(options.state)
  let maskMs = 0

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
    let own = new Map<string, Tensor>([...slots, ['step', floats([], [0])]])
    const masks = mask
      ? parameters.map(
          ({ name, shape }) => [slotName(name, 'mask'), tensor('bool', shape, maskOf(mask, name))] as const,
        )
      : []
    let anchors: [string, Tensor][] = []

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
      const shuffled = order.shuffle(Int32Array.from(items, (_, i) => i)) // positions, since labels go by position
      const planned = shuffled.map((position) => items[position]!)
      const targets = BigInt64Array.from(shuffled, (position) =>
        BigInt(labels ? labels[position]! : train.labels[items[position]!]!),
      )
      const feeds: Record<string, Tensor> = {
        images,
        ...stateFeeds(),
        ...Object.fromEntries([...own, ...masks, ...anchors]),
      }
      const undone = Math.floor(undoneShare * parameterCount(network))
      let sum = 0
      let seen = 0
      await executor.execute({
        name: `train ${JSON.stringify([stepOptions, augment])}`,
        program: (batch) => trainProgram(network, { images: train.count, batch, augment }, stepOptions),
        items: planned,
        batch: batchSize,
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
        after(outputs, { count }) {
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
        },
      })
      state = new Map(variables.map(({ name }) => [name, feeds[name]!]))
      own = new Map([...own.keys()].map((name) => [name, feeds[name]!]))
      checkFinite(state, phase)
      losses.push(sum / seen)
      return sum / seen
    }
    return {
      pass,
      anchor() {
        anchors = parameters.map(({ name }) => [slotName(name, 'anchor'), state.get(name)!])
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
      const from = performance.now()
      const scores = () => saliency(items, batchSize)
      const mask = await chooseMask(network.parameters, { kind, density }, maskRandom, scores)
      maskMs += performance.now() - from
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
    seconds: () => ({ mask: maskMs / 1000, compile: executor.compileSeconds() }),
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
