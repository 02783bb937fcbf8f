/** A fixed piece of training whose result is known: two steps of a very small network, on which PyTorch agrees in double
 *  precision (test/golden/self-test). A machine that fails it would put wrong numbers on boards. */
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { initialState } from '../engine/nn/initial-state.ts'
import { smallCnn } from '../engine/nn/models/small-cnn.ts'
import { networkOf } from '../engine/nn/network.ts'
import type { Provider } from '../engine/onnx/session.ts'
import { floats, numbersOf, sizeOf } from '../engine/onnx/tensor.ts'
import { createTrainer } from '../engine/training/trainer.ts'
import type { Split } from '../science/dataset.ts'
import { fitLabels } from '../science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../tasks/classification/objective.ts'
import { straysOf } from './placement.ts'

const [IMAGES, SIDE, CLASSES] = [12, 8, 3]

/** Largest difference that passes. Float32 stays below 1e-6 here; the 10 bits of TF32 would come near 1e-3. */
export const TOLERANCE = 1e-3

/** After two steps: the losses, and of each parameter and buffer the first entry and the norm. */
export const known: Record<string, [number, number]> = {
  loss: [1.14905, 1.106027],
  'conv1.weight': [-0.393215, 0.963204],
  'bn1.weight': [0.99336, 1.414134],
  'bn1.bias': [-0.007198, 0.007537],
  'bn1.running_mean': [0.008279, 0.009561],
  'bn1.running_var': [0.925819, 1.289935],
  'conv2.weight': [-0.090123, 1.841631],
  'bn2.weight': [1.000091, 1.999848],
  'bn2.bias': [0.008078, 0.018578],
  'bn2.running_mean': [-0.03938, 0.151688],
  'bn2.running_var': [0.855607, 1.709161],
  'conv3.weight': [0.255561, 2.911287],
  'bn3.weight': [1.001255, 1.997009],
  'bn3.bias': [0.001028, 0.013161],
  'bn3.running_mean': [0.002494, 0.092636],
  'bn3.running_var': [0.873121, 1.72945],
  'fc1.weight': [-0.226878, 1.877147],
  'fc1.bias': [0.081595, 0.607383],
  'fc2.weight': [-0.36517, 0.739812],
  'fc2.bias': [-0.026573, 0.335275],
}

export interface SelfTest {
  passed: boolean
  /** Why it could not be run to its end. */
  error?: string
  /** Ops of the steps that another provider than the one asked for ran. */
  strays: string[]
  /** Of all values that are known; null where it came to no end. */
  largestDifference: number | null
  /** Of the result, rounded to the known values and multiples of twice the tolerance from them: equal on all machines that
   *  pass, and on two that go wrong in the same way. */
  sha256: string
}

interface SelfTestOptions {
  threads: number
  provider?: Provider
}

export async function runSelfTest(options: SelfTestOptions): Promise<SelfTest> {
  const { provider = 'cpu' } = options
  let found = new Map<string, [number, number]>()
  let strays: string[] = []
  try {
    const run = async (profilePrefix?: string) => {
      found = await trainTwice({ ...options, profilePrefix })
    }
    if (provider === 'cpu') await run()
    else strays = await straysOf(provider, run)
  } catch (error) {
    const { message } = error as Error
    return { passed: false, error: message, strays, largestDifference: null, sha256: await sha256Hex(message) }
  }
  const pairs = Object.entries(known).flatMap(([name, values]) =>
    values.map((value, at) => ({ expected: value, got: found.get(name)![at]! })),
  )
  const differences = pairs.map(({ expected, got }) => Math.abs(got - expected))
  const passed = differences.every((difference) => difference <= TOLERANCE)
  const rounded = pairs.map(({ expected, got }) => {
    const grid = 2 * TOLERANCE
    return (expected + grid * Math.round((got - expected) / grid)).toFixed(6)
  })
  return {
    passed,
    strays,
    largestDifference: Math.max(...differences),
    sha256: await sha256Hex(canonicalJson(rounded)),
  }
}

/** [first, norm] by name of the parameter or buffer, and both losses under `loss`. */
export async function trainTwice({
  threads,
  provider,
  profilePrefix,
}: SelfTestOptions & { profilePrefix?: string | undefined }): Promise<Map<string, [number, number]>> {
  const network = networkOf([1, SIDE, SIDE], CLASSES, (scope, x) =>
    smallCnn.build(
      scope,
      x,
      { classes: CLASSES, normalization: { mean: [0.5], std: [0.25] } },
      { width: 2, hidden: 4 },
    ),
  )
  // Batch norm starts as it always does, at ones and zeros.
  const state = initialState(network, 0)
  const weights = network.parameters.filter(({ name }) => !name.startsWith('bn'))
  for (const [k, { name, shape }] of weights.entries()) {
    const start = (i: number) => (((i * i * 17 + i * 29 + k * 41) % 101) - 50) / 125
    state.set(
      name,
      floats(
        shape,
        Array.from({ length: sizeOf(shape) }, (_, i) => start(i)),
      ),
    )
  }
  const trainer = createTrainer({
    objective: classifierObjective({ network, train: images, augment: false }),
    state,
    seed: 0,
    purpose: 'self-test',
    threads,
    provider,
    profilePrefix,
    signal: new AbortController().signal,
    onProgress: () => {},
  })
  try {
    const optimizer = trainer.sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4 })
    const all = fitLabels(
      Int32Array.from({ length: IMAGES }, (_, i) => i),
      { batchSize: IMAGES },
    )
    const first = await optimizer.descend([all], { passes: 1 })
    const second = await optimizer.descend([all], { passes: 1 })
    const values = [...trainer.state()].map(([name, content]): [string, [number, number]] => {
      const entries = numbersOf(content)
      return [name, [entries[0]!, Math.hypot(...entries)]]
    })
    return new Map([['loss', [first, second]], ...values])
  } finally {
    await trainer.release()
  }
}

const images: Split = {
  images: Uint8Array.from({ length: IMAGES * SIDE ** 2 }, (_, at) => {
    const [n, p] = [Math.floor(at / SIDE ** 2), at % SIDE ** 2]
    return n * n * 31 + p * p * 7 + n * p * 13
  }),
  labels: Uint8Array.from({ length: IMAGES }, (_, n) => n % CLASSES),
  count: IMAGES,
}
