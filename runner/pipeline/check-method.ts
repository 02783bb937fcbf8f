/** What can be told of a method by running it: with its defaults on a very small classifier, so that every argument that it gives the
 *  trainer was checked before a benchmark is begun. */
import { initialState } from '../engine/nn/initial-state.ts'
import { batchNorm, conv, linear } from '../engine/nn/layers.ts'
import { networkOf } from '../engine/nn/network.ts'
import { randomStream } from '../engine/nn/random.ts'
import { createTrainer } from '../engine/training/trainer.ts'
import type { Unlearning } from '../science/method.ts'
import type { ClassifierTypes } from '../science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../tasks/classification/objective.ts'

const CLASSES = 10
const IMAGES = 40
const FORGOTTEN = 8
const SHAPE = [1, 14, 14]

/** Patches, batch norm, a linear layer. */
const network = () =>
  networkOf(SHAPE, CLASSES, (scope, x) => {
    const patches = batchNorm(scope, 'bn', conv(scope, 'conv', x, { out: 4, kernel: 7, stride: 7 }))
    return linear(scope, 'fc', scope.ops.Reshape(scope.ops.Relu(patches), [x.shape[0]!, 4 * 2 * 2]), CLASSES)
  })

export interface Tried {
  /** How often each verb of the trainer was asked for, in the order of the first time. */
  asked: Record<string, number>
  parameters: number
  seconds: number
}

/** Throws what the method throws. */
export async function tryMethod(unlearning: Unlearning, { signal }: { signal: AbortSignal }): Promise<Tried> {
  const random = randomStream(0, 'images')
  const train = {
    images: Uint8Array.from({ length: IMAGES * SHAPE.reduce((a, b) => a * b) }, () => random.integer(256)),
    labels: Uint8Array.from({ length: IMAGES }, (_, i) => i % CLASSES),
    count: IMAGES,
  }
  const net = network()
  const trainer = createTrainer<ClassifierTypes>({
    objective: classifierObjective({ network: net, train, augment: false }),
    ...{ state: initialState(net, 0), seed: 0, purpose: 'unlearn', threads: 1, signal, onProgress: () => {} },
  })
  const began = performance.now()
  const asked: Record<string, number> = {}
  try {
    const positions = Int32Array.from({ length: IMAGES }, (_, i) => i)
    // One of a class where only classes can be forgotten: the first.
    const isOfClass = unlearning.requests !== undefined && !unlearning.requests.includes('random')
    const forgotten = isOfClass ? [0] : []
    const isForgotten = (item: number) => (isOfClass ? train.labels[item] === 0 : item < FORGOTTEN)
    await unlearning.run({
      params: unlearning.params.parse({}),
      trainer: counting(trainer, asked) as never,
      verbs: { imageShape: SHAPE },
      forget: positions.filter(isForgotten),
      retain: positions.filter((item) => !isForgotten(item)),
      ...{ forgotten, labels: train.labels, classes: CLASSES },
      random: randomStream(0, 'labels'),
    })
    const parameters = trainer.parameters.reduce((sum, { size }) => sum + size, 0)
    return { asked, parameters, seconds: (performance.now() - began) / 1000 }
  } finally {
    await trainer.release()
  }
}

/** The same, with a count of what is asked, of optimizers too. */
function counting<T extends object>(of: T, asked: Record<string, number>): T {
  const entries = Object.entries(of).map(([name, verb]) => {
    if (typeof verb !== 'function') return [name, verb]
    const counted = (...given: unknown[]) => {
      asked[name] = (asked[name] ?? 0) + 1
      const answer = verb(...given)
      return name === 'sgd' || name === 'adam' ? counting(answer, asked) : answer
    }
    return [name, counted]
  })
  return Object.fromEntries(entries) as T
}
