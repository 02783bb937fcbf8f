/** Time of one training step through the engine, beside the naive formulation, alternating in one process. */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { ModelDefinition } from '../../runner/model.ts'
import { resnet18 } from '../../runner/nn/models/resnet18.ts'
import { smallCnn } from '../../runner/nn/models/small-cnn.ts'
import { initialState, type Network, networkOf } from '../../runner/nn/network.ts'
import { optimizerOf } from '../../runner/nn/optimizers.ts'
import { type StepOptions, slotName, trainProgram } from '../../runner/nn/programs.ts'
import { randomStream } from '../../runner/nn/random.ts'
import type { Graph } from '../../runner/onnx/graph.ts'
import { onnxruntimeVersion, openSession } from '../../runner/onnx/session.ts'
import { floats, int64s, sizeOf, tensor, zeros } from '../../runner/onnx/tensor.ts'
import { optimizer } from '../../schema/benchmark.ts'
import { naiveNetwork, naiveRules } from './naive.ts'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '0' },
    repeats: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
})
const threads = Number(values.threads)
const repeats = Number(values.repeats)
const BATCH = 64
const IMAGES = 256

const normalization = { mean: [0.5], std: [0.25] }
const build = (model: ModelDefinition, inputShape: number[], params: Record<string, number>) =>
  networkOf(inputShape, 10, (scope, x) =>
    model.build(scope, x, { classes: 10, normalization }, model.params.parse(params)),
  )

const cases = [
  { name: 'resnet18, width 64', network: build(resnet18, [3, 32, 32], { width: 64 }), steps: 1 },
  { name: 'resnet18, width 16', network: build(resnet18, [3, 32, 32], { width: 16 }), steps: 4 },
  { name: 'small-cnn (quickstart)', network: build(smallCnn, [1, 28, 28], {}), steps: 40 },
]
const data = { images: IMAGES, batch: BATCH, augment: false }
const options: StepOptions = {
  optimizer: optimizer.parse({ kind: 'sgd' }),
  clipNorm: null,
  ascend: false,
  l1: false,
  mask: 'none',
  proximal: false,
}

/** A function that times `steps` training steps in one call, in ms a step, and the first loss for a check. */
async function prepared(program: Graph, network: Network, steps: number) {
  const session = await openSession(program, { threads })
  const random = randomStream(0, 'bench')
  const slots = optimizerOf(options.optimizer).slots.flatMap((slot) =>
    network.parameters.map(({ name, shape }) => [slotName(name, slot), zeros(shape)] as const),
  )
  const feeds = {
    ...Object.fromEntries([...initialState(network, 0), ...slots]),
    step: floats([], [0]),
    steps: tensor('int64', [], BigInt64Array.of(BigInt(steps))),
    images: tensor(
      'uint8',
      [IMAGES, ...network.inputShape],
      Uint8Array.from({ length: IMAGES * sizeOf(network.inputShape) }, () => random.integer(256)),
    ),
    plan: int64s(
      [steps, BATCH],
      Array.from({ length: steps * BATCH }, () => random.integer(IMAGES)),
    ),
    targets: int64s(
      [steps, BATCH],
      Array.from({ length: steps * BATCH }, () => random.integer(10)),
    ),
    rates: floats([steps], Array(steps).fill(0.01)),
  }
  return {
    async time() {
      const start = performance.now()
      const { losses } = await session.run(feeds)
      return { ms: (performance.now() - start) / steps, loss: Number(losses!.data[0]) }
    },
    release: session.release,
  }
}

const median = (sorted: number[]) => sorted[Math.floor(sorted.length / 2)]!
const summary = (times: number[]) => {
  const sorted = [...times].sort((a, b) => a - b)
  return { median: median(sorted), min: sorted[0]!, max: sorted.at(-1)! }
}

const results = []
for (const { name, network, steps } of cases) {
  const engine = await prepared(trainProgram(network, data, options), network, steps)
  const naive = await prepared(trainProgram(naiveNetwork(network), data, options, naiveRules), network, steps)
  const [{ loss }, { loss: naiveLoss }] = [await engine.time(), await naive.time()] // warm-up, and a check
  if (Math.abs(loss - naiveLoss) > 1e-3 * Math.abs(loss))
    throw new Error(`${name}: losses differ, ${loss} and ${naiveLoss}`)
  const pairs: { engine: number; naive: number }[] = []
  for (let i = 0; i < repeats; i++) pairs.push({ engine: (await engine.time()).ms, naive: (await naive.time()).ms })
  await engine.release()
  await naive.release()
  results.push({
    name,
    engineMs: summary(pairs.map((pair) => pair.engine)),
    naiveMs: summary(pairs.map((pair) => pair.naive)),
    ratio: summary(pairs.map((pair) => pair.engine / pair.naive)),
  })
}

if (values.json) console.log(JSON.stringify(results, null, 2))
else {
  console.log(
    `one training step, batch ${BATCH}, ${cpus()[0]?.model}, ${threads || 'all'} threads, onnxruntime ${onnxruntimeVersion}, median of ${repeats}`,
  )
  console.log(
    `${'model'.padEnd(24)}${'engine ms'.padStart(12)}${'naive ms'.padStart(12)}${'ratio (min to max)'.padStart(24)}`,
  )
  for (const { name, engineMs, naiveMs, ratio } of results) {
    const range = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`
    console.log(
      `${name.padEnd(24)}${engineMs.median.toFixed(1).padStart(12)}${naiveMs.median.toFixed(1).padStart(12)}${range.padStart(24)}`,
    )
  }
}
